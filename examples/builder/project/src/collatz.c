#include "maths.h"

uint64_t longest_collatz(uint64_t limit)
{
    uint64_t best = 1, longest = 0;
    for (uint64_t start = 1; start < limit; start++) {
        uint64_t length = 0;
        for (uint64_t at = start; at != 1; length++)
            at = at % 2 ? 3 * at + 1 : at / 2;
        if (length > longest) {
            longest = length;
            best = start;
        }
    }
    return best;
}
