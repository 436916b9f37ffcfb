/* Square matrices of fractions. */
#ifndef MATRIX_H
#define MATRIX_H

#include "fraction.h"

#define MATRIX_MAX 8

struct matrix {
    int size;
    struct fraction cells[MATRIX_MAX][MATRIX_MAX];
};

struct matrix matrix_of(int size, const long *cells);
struct matrix matrix_multiply(const struct matrix *a, const struct matrix *b);
struct fraction determinant(struct matrix matrix);

#endif
