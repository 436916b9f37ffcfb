/* Balanced after Arne Andersson: a level for each node, two rotations, no colours. */
#include "tree.h"
#include "die.h"
#include <stdlib.h>

static void skew(struct node **tree)
{
    struct node *top = *tree, *left = top->left;
    if (left && left->level == top->level) {
        top->left = left->right;
        left->right = top;
        *tree = left;
    }
}

static void split(struct node **tree)
{
    struct node *top = *tree, *right = top->right;
    if (right && right->right && right->right->level == top->level) {
        top->right = right->left;
        right->left = top;
        right->level++;
        *tree = right;
    }
}

bool tree_add(struct node **tree, long key)
{
    struct node *top = *tree;
    if (!top) {
        *tree = top = need(1, sizeof *top);
        top->key = key;
        return true;
    }
    if (key == top->key)
        return false;
    bool added = tree_add(key < top->key ? &top->left : &top->right, key);
    skew(tree);
    split(tree);
    return added;
}

size_t tree_depth(const struct node *tree)
{
    if (!tree)
        return 0;
    size_t left = tree_depth(tree->left), right = tree_depth(tree->right);
    return 1 + (left > right ? left : right);
}

void tree_walk(const struct node *tree, void (*visit)(long key, void *with), void *with)
{
    if (!tree)
        return;
    tree_walk(tree->left, visit, with);
    visit(tree->key, with);
    tree_walk(tree->right, visit, with);
}

void tree_free(struct node *tree)
{
    if (!tree)
        return;
    tree_free(tree->left);
    tree_free(tree->right);
    free(tree);
}
