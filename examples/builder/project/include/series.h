/* Numbers that soon need many digits. */
#ifndef SERIES_H
#define SERIES_H

#include "big.h"

void factorial(struct big *result, uint32_t of);
void fibonacci(struct big *result, uint32_t place);

#endif
