/* Five ways to put numbers in order, and what to do with them then. */
#ifndef SORTS_H
#define SORTS_H

#include <stdbool.h>
#include <stddef.h>

void sort_insert(long *items, size_t count);
void sort_merge(long *items, size_t count);
void sort_heap(long *items, size_t count);
void sort_quick(long *items, size_t count);
/* Digit by digit. */
void sort_radix(long *items, size_t count);

bool is_sorted(const long *items, size_t count);
/* Where the first one is that is not below `wanted`. */
size_t search_sorted(const long *items, size_t count, long wanted);

#endif
