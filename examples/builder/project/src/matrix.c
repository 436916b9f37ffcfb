#include "matrix.h"
#include "die.h"

struct matrix matrix_of(int size, const long *cells)
{
    struct matrix matrix = { .size = size };
    if (size > MATRIX_MAX)
        die("a matrix has at most %d rows", MATRIX_MAX);
    for (int i = 0; i < size * size; i++)
        matrix.cells[i / size][i % size] = fraction_of(cells[i], 1);
    return matrix;
}

struct matrix matrix_multiply(const struct matrix *a, const struct matrix *b)
{
    struct matrix product = { .size = a->size };
    for (int row = 0; row < a->size; row++) {
        for (int column = 0; column < a->size; column++) {
            struct fraction sum = fraction_of(0, 1);
            for (int i = 0; i < a->size; i++)
                sum = fraction_add(sum, fraction_multiply(a->cells[row][i], b->cells[i][column]));
            product.cells[row][column] = sum;
        }
    }
    return product;
}
