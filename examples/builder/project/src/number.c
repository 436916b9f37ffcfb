#include "number.h"
#include "letters.h"
#include <limits.h>

bool number_parse(struct slice slice, long *value)
{
    bool negative = slice.length && slice.start[0] == '-';
    size_t at = negative;
    long sum = 0;
    if (at == slice.length)
        return false;
    for (; at < slice.length; at++) {
        if (!is_digit(slice.start[at]))
            return false;
        long digit = slice.start[at] - '0';
        if (sum < (LONG_MIN + digit) / 10)
            return false;
        /* Downwards, because there is one more number on that side. */
        sum = sum * 10 - digit;
    }
    if (!negative && sum == LONG_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}
