#include "sorts.h"

void sort_insert(long *items, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        long item = items[i];
        size_t at = i;
        for (; at && items[at - 1] > item; at--)
            items[at] = items[at - 1];
        items[at] = item;
    }
}
