/* Numbers in order, without a memory of their coming. */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stddef.h>

struct node {
    long key;
    int level;
    struct node *left, *right;
};

/* Begins as NULL. False when it was there. */
bool tree_add(struct node **tree, long key);
size_t tree_depth(const struct node *tree);
void tree_walk(const struct node *tree, void (*visit)(long key, void *with), void *with);
void tree_free(struct node *tree);

#endif
