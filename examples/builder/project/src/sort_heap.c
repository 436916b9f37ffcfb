#include "heap.h"
#include "sorts.h"

void sort_heap(long *items, size_t count)
{
    struct heap heap = { 0 };
    struct heap_item item;
    for (size_t i = 0; i < count; i++)
        heap_push(&heap, items[i], 0);
    for (size_t i = 0; heap_take(&heap, &item); i++)
        items[i] = item.rank;
    heap_free(&heap);
}
