/* Exact fractions, as long as they fit. */
#ifndef FRACTION_H
#define FRACTION_H

#include "text.h"

/* Always reduced, and the lower part above 0. */
struct fraction {
    long upper, lower;
};

struct fraction fraction_of(long upper, long lower);
struct fraction fraction_add(struct fraction a, struct fraction b);
struct fraction fraction_multiply(struct fraction a, struct fraction b);
void fraction_write(struct text *out, struct fraction fraction);

#endif
