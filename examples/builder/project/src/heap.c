#include "heap.h"
#include "die.h"
#include <stdlib.h>

static void swap(struct heap_item *a, struct heap_item *b)
{
    struct heap_item kept = *a;
    *a = *b;
    *b = kept;
}

void heap_push(struct heap *heap, long rank, long value)
{
    if (heap->count == heap->room) {
        heap->room = heap->room ? 2 * heap->room : 8;
        heap->items = need_more(heap->items, heap->room, sizeof *heap->items);
    }
    size_t at = heap->count++;
    heap->items[at] = (struct heap_item){ rank, value };
    while (at && heap->items[at].rank < heap->items[(at - 1) / 2].rank) {
        swap(&heap->items[at], &heap->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

bool heap_take(struct heap *heap, struct heap_item *item)
{
    if (!heap->count)
        return false;
    *item = heap->items[0];
    heap->items[0] = heap->items[--heap->count];
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < heap->count && heap->items[child + 1].rank < heap->items[child].rank)
            child++;
        if (child >= heap->count || heap->items[at].rank <= heap->items[child].rank)
            return true;
        swap(&heap->items[at], &heap->items[child]);
        at = child;
    }
}

void heap_free(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){ 0 };
}
