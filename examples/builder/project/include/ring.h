/* Numbers that leave in the order in which they came. */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: empty. */
struct ring {
    long *items;
    size_t first, count, room;
};

void ring_push(struct ring *ring, long item);
bool ring_take(struct ring *ring, long *item);
void ring_free(struct ring *ring);

#endif
