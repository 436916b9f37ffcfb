/* Memory that is given back all at once. */
#ifndef ARENA_H
#define ARENA_H

#include <stddef.h>

/* All zero: empty. */
struct arena {
    struct block *blocks;
    size_t used, room;
};

/* Zeroed. */
void *arena_take(struct arena *arena, size_t size);
void arena_free(struct arena *arena);

#endif
