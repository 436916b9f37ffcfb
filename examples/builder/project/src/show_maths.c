#include "maths.h"
#include "matrix.h"
#include "series.h"
#include "show.h"

void show_maths(struct text *out)
{
    struct bits primes = primes_below(1000);
    struct big big = { 0 };
    struct fraction sum = fraction_of(0, 1);
    text_format(out, "primes: %zu, 3^200 mod 13: %d", bits_count(&primes), (int)power_mod(3, 200, 13));
    text_format(out, ", factor: %d, collatz: %d\n", (int)smallest_factor(1517), (int)longest_collatz(1000));
    bits_free(&primes);
    factorial(&big, 30);
    text_add_string(out, "30! = ");
    big_write(out, &big);
    fibonacci(&big, 150);
    text_add_string(out, "\nfibonacci 150 = ");
    big_write(out, &big);
    big_free(&big);
    for (long i = 1; i <= 10; i++)
        sum = fraction_add(sum, fraction_of(1, i));
    text_add_string(out, "\nharmonic 10 = ");
    fraction_write(out, sum);
    static const long cells[] = { 2, 7, 1, 0, 3, -4, 5, 1, 6 };
    struct matrix matrix = matrix_of(3, cells), square = matrix_multiply(&matrix, &matrix);
    text_add_string(out, "\ndeterminants: ");
    fraction_write(out, determinant(matrix));
    text_add(out, ' ');
    fraction_write(out, determinant(square));
    text_add(out, '\n');
}
