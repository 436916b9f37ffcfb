/* The words of a script. */
#ifndef TOKEN_H
#define TOKEN_H

#include "slice.h"

enum token_sort { TOKEN_END, TOKEN_NUMBER, TOKEN_NAME, TOKEN_SIGN, TOKEN_WRONG };

struct token {
    enum token_sort sort;
    struct slice word;
    int line;
};

struct tokens {
    struct slice rest;
    int line;
};

struct token token_next(struct tokens *tokens);

#endif
