/* A script as a tree. */
#ifndef SYNTAX_H
#define SYNTAX_H

#include "arena.h"
#include "slice.h"

enum sort {
    SORT_NUMBER,
    SORT_NAME,
    SORT_CALL,
    SORT_BINARY,
    SORT_NEGATE,
    SORT_ASSIGN,
    SORT_PRINT,
    SORT_RETURN,
    SORT_WHILE,
    SORT_IF,
    SORT_FUNCTION,
};

/* What a name, an operator or a function is called is its `word`. */
struct syntax {
    enum sort sort;
    struct slice word;
    long number;
    int line;
    struct syntax *first, *second, *third; /* Operands; a condition and what hangs on it; parameters and a body. */
    struct syntax *next;                   /* In a row of statements or arguments. */
};

/* NULL, and what is wrong in which line. */
struct syntax *syntax_read(struct arena *arena, struct slice script, const char **wrong, int *line);

#endif
