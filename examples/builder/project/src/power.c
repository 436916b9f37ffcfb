#include "maths.h"

uint64_t power_mod(uint64_t base, uint64_t power, uint64_t modulus)
{
    uint64_t result = 1 % modulus;
    for (base %= modulus; power; power >>= 1) {
        if (power & 1)
            result = result * base % modulus;
        base = base * base % modulus;
    }
    return result;
}
