#include "matrix.h"

struct fraction determinant(struct matrix matrix)
{
    struct fraction result = fraction_of(1, 1);
    for (int column = 0; column < matrix.size; column++) {
        int pivot = column;
        while (pivot < matrix.size && !matrix.cells[pivot][column].upper)
            pivot++;
        if (pivot == matrix.size)
            return fraction_of(0, 1);
        for (int i = 0; pivot != column && i < matrix.size; i++) {
            struct fraction kept = matrix.cells[pivot][i];
            matrix.cells[pivot][i] = matrix.cells[column][i];
            matrix.cells[column][i] = kept;
        }
        if (pivot != column)
            result.upper = -result.upper;
        struct fraction head = matrix.cells[column][column];
        result = fraction_multiply(result, head);
        for (int row = column + 1; row < matrix.size; row++) {
            struct fraction first = matrix.cells[row][column];
            struct fraction factor = fraction_of(-first.upper * head.lower, first.lower * head.upper);
            for (int i = column; i < matrix.size; i++)
                matrix.cells[row][i] =
                    fraction_add(matrix.cells[row][i], fraction_multiply(factor, matrix.cells[column][i]));
        }
    }
    return result;
}
