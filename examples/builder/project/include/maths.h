/* Numbers and their properties. */
#ifndef MATHS_H
#define MATHS_H

#include "bits.h"
#include <stdint.h>

uint64_t gcd(uint64_t a, uint64_t b);
/* base to the power, modulo a number below two to the 32nd. */
uint64_t power_mod(uint64_t base, uint64_t power, uint64_t modulus);
/* The primes below a limit. */
struct bits primes_below(size_t limit);
/* The smallest prime that divides it. */
uint64_t smallest_factor(uint64_t number);
/* The longest way to 1 among the numbers below a limit, by halving or 3n + 1. */
uint64_t longest_collatz(uint64_t limit);

#endif
