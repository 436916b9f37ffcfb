/* Numbers that look like chance and are the same each time. */
#ifndef CHANCE_H
#define CHANCE_H

#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

/* 0 to limit - 1. */
uint32_t chance_below(struct chance *chance, uint32_t limit);
void chance_shuffle(struct chance *chance, long *items, size_t count);

#endif
