/* Check sums. */
#ifndef SUMS_H
#define SUMS_H

#include "slice.h"
#include <stdint.h>

/* As in gzip and PNG. */
uint32_t crc32(struct slice bytes);
/* As in zlib. */
uint32_t adler32(struct slice bytes);
/* Whether the last digit of a card's number fits the others, after Luhn. */
bool luhn_holds(struct slice digits);

#endif
