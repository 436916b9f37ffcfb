#include "heap.h"
#include "lru.h"
#include "map.h"
#include "ring.h"
#include "show.h"
#include "tree.h"
#include "vector.h"

static void add_key(long key, void *with)
{
    text_format(with, " %ld", key);
}

static void show_tree(struct text *out)
{
    struct node *tree = NULL;
    for (long i = 1; i <= 1000; i++)
        tree_add(&tree, i);
    text_format(out, "tree: %s, twice %s,", tree_depth(tree) < 20 ? "flat" : "deep", tree_add(&tree, 7) ? "in" : "out");
    tree_free(tree);
    tree = NULL;
    for (long i = 0; i < 6; i++)
        tree_add(&tree, i * 5 % 7);
    tree_walk(tree, add_key, out);
    text_add(out, '\n');
    tree_free(tree);
}

void show_stores(struct text *out)
{
    struct ring ring = { 0 };
    struct heap heap = { 0 };
    struct map map = { 0 };
    struct vector vector = { 0 };
    struct heap_item item = { 0 };
    struct lru lru;
    long taken = 0, hits = 0;
    for (long i = 0; i < 10; i++) {
        ring_push(&ring, i);
        heap_push(&heap, (i * 7) % 10, i);
        vector_push(&vector, out);
        *map_at(&map, slice_of(i % 2 ? "odd" : "even")) += i;
        if (i % 3 == 0)
            ring_take(&ring, &taken);
    }
    heap_take(&heap, &item);
    heap_take(&heap, &item);
    vector_reverse(&vector);
    text_format(out, "ring: %ld, heap: %ld of %ld, vector: %zu", taken, item.value, item.rank, vector.count);
    text_format(out, ", map: %ld %ld\n", *map_find(&map, slice_of("odd")), *map_find(&map, slice_of("even")));
    lru_init(&lru, 3);
    for (long i = 0; i < 12; i++)
        hits += lru_touch(&lru, i * i % 5);
    text_format(out, "lru: %ld hits, %zu kept\n", hits, list_length(&lru.order));
    show_tree(out);
    ring_free(&ring);
    heap_free(&heap);
    map_free(&map);
    vector_free(&vector);
    lru_free(&lru);
}
