#include "graph.h"
#include "heap.h"

void shortest_ways(const struct way *ways, size_t count, size_t from, long *lengths, size_t places)
{
    struct heap heap = { 0 };
    struct heap_item item;
    for (size_t i = 0; i < places; i++)
        lengths[i] = -1;
    heap_push(&heap, 0, (long)from);
    while (heap_take(&heap, &item)) {
        size_t at = (size_t)item.value;
        if (lengths[at] >= 0)
            continue;
        lengths[at] = item.rank;
        for (size_t i = 0; i < count; i++)
            if (ways[i].from == at && lengths[ways[i].to] < 0)
                heap_push(&heap, item.rank + ways[i].length, (long)ways[i].to);
    }
    heap_free(&heap);
}
