#include "arena.h"
#include "die.h"
#include <stdalign.h>
#include <stdlib.h>

#define BLOCK_BYTES 4096

struct block {
    struct block *before;
    max_align_t bytes[];
};

void *arena_take(struct arena *arena, size_t size)
{
    const size_t step = alignof(max_align_t);
    size = (size + step - 1) / step * step;
    if (!arena->blocks || arena->used + size > arena->room) {
        arena->room = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        struct block *block = need(1, sizeof *block + arena->room);
        block->before = arena->blocks;
        arena->blocks = block;
        arena->used = 0;
    }
    void *memory = (char *)arena->blocks->bytes + arena->used;
    arena->used += size;
    return memory;
}

void arena_free(struct arena *arena)
{
    while (arena->blocks) {
        struct block *before = arena->blocks->before;
        free(arena->blocks);
        arena->blocks = before;
    }
    *arena = (struct arena){ 0 };
}
