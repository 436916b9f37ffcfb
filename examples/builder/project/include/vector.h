/* Pointers in a row. */
#ifndef VECTOR_H
#define VECTOR_H

#include <stddef.h>

/* All zero: empty. It does not own what it points to. */
struct vector {
    void **items;
    size_t count, room;
};

void vector_push(struct vector *vector, void *item);
void *vector_pop(struct vector *vector);
void vector_reverse(struct vector *vector);
void vector_free(struct vector *vector);

#endif
