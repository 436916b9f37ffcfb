/* Natural numbers of any size. */
#ifndef BIG_H
#define BIG_H

#include "text.h"
#include <stdint.h>

/* Digits to the base of a billion, the last first. All zero: 0. */
struct big {
    uint32_t *digits;
    size_t count, room;
};

void big_add(struct big *to, const struct big *other);
void big_multiply(struct big *big, uint32_t by);
void big_set(struct big *big, uint32_t value);
void big_write(struct text *out, const struct big *big);
void big_free(struct big *big);

#endif
