#include "die.h"
#include "sorts.h"
#include <stdlib.h>

void sort_radix(long *items, size_t count)
{
    unsigned long *from = need(count, sizeof *from), *to = need(count, sizeof *to);
    const unsigned long top = ~(~0ul >> 1);
    for (size_t i = 0; i < count; i++)
        from[i] = (unsigned long)items[i] ^ top;
    for (unsigned shift = 0; shift < 8 * sizeof *from; shift += 8) {
        size_t starts[257] = { 0 };
        for (size_t i = 0; i < count; i++)
            starts[(from[i] >> shift & 255) + 1]++;
        for (size_t digit = 0; digit < 256; digit++)
            starts[digit + 1] += starts[digit];
        for (size_t i = 0; i < count; i++)
            to[starts[from[i] >> shift & 255]++] = from[i];
        unsigned long *kept = from;
        from = to;
        to = kept;
    }
    for (size_t i = 0; i < count; i++)
        items[i] = (long)(from[i] ^ top);
    free(from);
    free(to);
}
