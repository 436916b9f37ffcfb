#include "games.h"

static unsigned place(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    unsigned ways = 0;
    if (columns == all)
        return 1;
    for (unsigned free = all & ~(columns | left | right); free; free &= free - 1) {
        unsigned here = free & -free;
        ways += place(all, columns | here, (left | here) << 1, (right | here) >> 1);
    }
    return ways;
}

unsigned queens(unsigned size)
{
    return size > 16 ? 0 : place((1u << size) - 1, 0, 0, 0);
}
