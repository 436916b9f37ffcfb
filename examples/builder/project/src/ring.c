#include "ring.h"
#include "die.h"
#include <stdlib.h>

void ring_push(struct ring *ring, long item)
{
    if (ring->count == ring->room) {
        size_t room = ring->room ? 2 * ring->room : 4;
        long *items = need(room, sizeof *items);
        for (size_t i = 0; i < ring->count; i++)
            items[i] = ring->items[(ring->first + i) % ring->room];
        free(ring->items);
        *ring = (struct ring){ items, 0, ring->count, room };
    }
    ring->items[(ring->first + ring->count++) % ring->room] = item;
}

bool ring_take(struct ring *ring, long *item)
{
    if (!ring->count)
        return false;
    *item = ring->items[ring->first];
    ring->first = (ring->first + 1) % ring->room;
    ring->count--;
    return true;
}

void ring_free(struct ring *ring)
{
    free(ring->items);
    *ring = (struct ring){ 0 };
}
