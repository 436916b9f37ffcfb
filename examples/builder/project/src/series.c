#include "series.h"

void factorial(struct big *result, uint32_t of)
{
    big_set(result, 1);
    for (uint32_t i = 2; i <= of; i++)
        big_multiply(result, i);
}

void fibonacci(struct big *result, uint32_t place)
{
    struct big next = { 0 };
    big_set(result, 0);
    big_set(&next, 1);
    for (uint32_t i = 0; i < place; i++) {
        big_add(result, &next);
        struct big kept = *result;
        *result = next;
        next = kept;
    }
    big_free(&next);
}
