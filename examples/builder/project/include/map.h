/* Numbers by name. */
#ifndef MAP_H
#define MAP_H

#include "slice.h"

struct map_entry {
    char *name;
    long value;
};

/* All zero: empty. It owns the names. Entries stay in the order in which they came. */
struct map {
    struct map_entry *entries;
    size_t count, room;
    size_t *places; /* 1 + index of an entry, or 0; as many as twice the room. */
};

/* The value of a name, which is 0 when it is new. Valid until the next one comes. */
long *map_at(struct map *map, struct slice name);
/* NULL when there is none. */
long *map_find(const struct map *map, struct slice name);
void map_free(struct map *map);

#endif
