/* A part of somebody else's text. */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
    const char *start;
    size_t length;
};

struct slice slice_of(const char *string);
struct slice slice_trim(struct slice slice);
bool slice_is(struct slice slice, const char *string);
/* Takes what is before the next separator off the rest; false when nothing is left. */
bool slice_next(struct slice *rest, char separator, struct slice *part);

#endif
