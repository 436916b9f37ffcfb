#include "maths.h"

struct bits primes_below(size_t limit)
{
    struct bits primes = bits_below(limit);
    for (size_t i = 2; i < limit; i++)
        bits_put(&primes, i, true);
    for (size_t i = 2; i * i < limit; i++)
        for (size_t j = i * i; bits_has(&primes, i) && j < limit; j += i)
            bits_put(&primes, j, false);
    return primes;
}

uint64_t smallest_factor(uint64_t number)
{
    for (uint64_t i = 2; i * i <= number; i += i == 2 ? 1 : 2)
        if (number % i == 0)
            return i;
    return number;
}
