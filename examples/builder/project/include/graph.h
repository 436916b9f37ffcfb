/* Places and ways between them. */
#ifndef GRAPH_H
#define GRAPH_H

#include <stdbool.h>
#include <stddef.h>

struct way {
    size_t from, to;
    long length;
};

/* The lengths of the shortest ways from one place to each, -1 where there is none. */
void shortest_ways(const struct way *ways, size_t count, size_t from, long *lengths, size_t places);
/* An order in which every way leads forward; false when there is none. */
bool order_places(const struct way *ways, size_t count, size_t *order, size_t places);
/* The length of the shortest ways that join all places, each in both directions. */
long shortest_net(struct way *ways, size_t count, size_t places);

#endif
