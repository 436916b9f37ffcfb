#include "sorts.h"

bool is_sorted(const long *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (items[i - 1] > items[i])
            return false;
    return true;
}

size_t search_sorted(const long *items, size_t count, long wanted)
{
    size_t low = 0;
    while (count) {
        size_t half = count / 2;
        if (items[low + half] < wanted) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}
