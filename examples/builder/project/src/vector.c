#include "vector.h"
#include "die.h"
#include <stdlib.h>

void vector_push(struct vector *vector, void *item)
{
    if (vector->count == vector->room) {
        vector->room = vector->room ? 2 * vector->room : 8;
        vector->items = need_more(vector->items, vector->room, sizeof *vector->items);
    }
    vector->items[vector->count++] = item;
}

void *vector_pop(struct vector *vector)
{
    return vector->count ? vector->items[--vector->count] : NULL;
}

void vector_reverse(struct vector *vector)
{
    for (size_t i = 0; i < vector->count / 2; i++) {
        void *item = vector->items[i];
        vector->items[i] = vector->items[vector->count - 1 - i];
        vector->items[vector->count - 1 - i] = item;
    }
}

void vector_free(struct vector *vector)
{
    free(vector->items);
    *vector = (struct vector){ 0 };
}
