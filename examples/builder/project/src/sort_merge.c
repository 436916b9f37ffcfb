#include "die.h"
#include "sorts.h"
#include <stdlib.h>
#include <string.h>

static void merge(long *items, long *room, size_t count)
{
    if (count < 2)
        return;
    size_t half = count / 2, left = 0, right = half;
    merge(items, room, half);
    merge(items + half, room, count - half);
    for (size_t i = 0; i < count; i++) {
        bool from_left = right == count || (left < half && items[left] <= items[right]);
        room[i] = from_left ? items[left++] : items[right++];
    }
    memcpy(items, room, count * sizeof *items);
}

void sort_merge(long *items, size_t count)
{
    long *room = need(count, sizeof *room);
    merge(items, room, count);
    free(room);
}
