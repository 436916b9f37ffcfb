/* The smallest first. */
#ifndef HEAP_H
#define HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap_item {
    long rank, value;
};

/* All zero: empty. */
struct heap {
    struct heap_item *items;
    size_t count, room;
};

void heap_push(struct heap *heap, long rank, long value);
bool heap_take(struct heap *heap, struct heap_item *item);
void heap_free(struct heap *heap);

#endif
