#include "sums.h"

uint32_t adler32(struct slice bytes)
{
    const uint32_t prime = 65521;
    uint32_t first = 1, second = 0;
    for (size_t i = 0; i < bytes.length; i++) {
        first = (first + (unsigned char)bytes.start[i]) % prime;
        second = (second + first) % prime;
    }
    return second << 16 | first;
}
