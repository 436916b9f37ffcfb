/* The last few that were used. */
#ifndef LRU_H
#define LRU_H

#include "list.h"

struct lru_entry {
    struct link link;
    long key;
};

/* Zero it, then lru_init. */
struct lru {
    struct link order;
    struct lru_entry *entries;
    size_t count, room;
};

void lru_init(struct lru *lru, size_t room);
/* Whether it was among the last ones; it is the last one now. */
bool lru_touch(struct lru *lru, long key);
void lru_free(struct lru *lru);

#endif
