#include "die.h"
#include "graph.h"
#include "ring.h"
#include <stdlib.h>

bool order_places(const struct way *ways, size_t count, size_t *order, size_t places)
{
    size_t *before = need(places, sizeof *before), done = 0;
    struct ring free_ones = { 0 };
    long at = 0;
    for (size_t i = 0; i < count; i++)
        before[ways[i].to]++;
    for (size_t i = 0; i < places; i++)
        if (!before[i])
            ring_push(&free_ones, (long)i);
    while (ring_take(&free_ones, &at)) {
        order[done++] = (size_t)at;
        for (size_t i = 0; i < count; i++)
            if (ways[i].from == (size_t)at && !--before[ways[i].to])
                ring_push(&free_ones, (long)ways[i].to);
    }
    ring_free(&free_ones);
    free(before);
    return done == places;
}
