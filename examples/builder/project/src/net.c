/* After Kruskal: the shortest way first, unless its ends are joined already. */
#include "die.h"
#include "graph.h"
#include <stdlib.h>

static int by_length(const void *a, const void *b)
{
    long left = ((const struct way *)a)->length, right = ((const struct way *)b)->length;
    return (left > right) - (left < right);
}

static size_t root(size_t *parents, size_t place)
{
    while (parents[place] != place)
        place = parents[place] = parents[parents[place]];
    return place;
}

long shortest_net(struct way *ways, size_t count, size_t places)
{
    size_t *parents = need(places, sizeof *parents);
    long length = 0;
    for (size_t i = 0; i < places; i++)
        parents[i] = i;
    qsort(ways, count, sizeof *ways, by_length);
    for (size_t i = 0; i < count; i++) {
        size_t from = root(parents, ways[i].from), to = root(parents, ways[i].to);
        if (from != to) {
            parents[from] = to;
            length += ways[i].length;
        }
    }
    free(parents);
    return length;
}
