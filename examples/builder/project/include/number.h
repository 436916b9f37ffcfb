/* Whole numbers as people write them. */
#ifndef NUMBER_H
#define NUMBER_H

#include "slice.h"

/* False when it is none, or too large; `*value` is untouched then. */
bool number_parse(struct slice slice, long *value);

#endif
