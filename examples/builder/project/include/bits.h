/* A set of small numbers. */
#ifndef BITS_H
#define BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bits {
    uint64_t *words;
    size_t limit;
};

struct bits bits_below(size_t limit);
void bits_put(struct bits *bits, size_t number, bool in);
bool bits_has(const struct bits *bits, size_t number);
size_t bits_count(const struct bits *bits);
void bits_free(struct bits *bits);

#endif
