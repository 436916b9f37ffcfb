#include "token.h"
#include "letters.h"
#include <string.h>

static char at(const struct tokens *tokens, size_t place)
{
    return place < tokens->rest.length ? tokens->rest.start[place] : 0;
}

struct token token_next(struct tokens *tokens)
{
    for (; is_blank(at(tokens, 0)) || at(tokens, 0) == '#'; tokens->rest.start++, tokens->rest.length--) {
        if (at(tokens, 0) == '#')
            while (at(tokens, 1) && at(tokens, 1) != '\n') {
                tokens->rest.start++;
                tokens->rest.length--;
            }
        tokens->line += at(tokens, 0) == '\n';
    }
    struct token token = { TOKEN_WRONG, { tokens->rest.start, 1 }, tokens->line };
    char first = at(tokens, 0);
    if (!first) {
        token.sort = TOKEN_END;
        token.word.length = 0;
    } else if (is_digit(first)) {
        token.sort = TOKEN_NUMBER;
        while (is_digit(at(tokens, token.word.length)))
            token.word.length++;
    } else if (is_letter(first)) {
        token.sort = TOKEN_NAME;
        while (is_letter(at(tokens, token.word.length)) || is_digit(at(tokens, token.word.length)))
            token.word.length++;
    } else if (strchr("+-*/%(){};,=<>!", first)) {
        token.sort = TOKEN_SIGN;
        token.word.length += strchr("=<>!", first) && at(tokens, 1) == '=';
    }
    tokens->rest.start += token.word.length;
    tokens->rest.length -= token.word.length;
    return token;
}
