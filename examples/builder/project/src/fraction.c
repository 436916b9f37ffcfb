#include "fraction.h"
#include "die.h"
#include "maths.h"
#include <stdlib.h>

struct fraction fraction_of(long upper, long lower)
{
    if (!lower)
        die("%ld/0 is no fraction", upper);
    long shared = (long)gcd((uint64_t)labs(upper), (uint64_t)labs(lower));
    if (lower < 0)
        shared = -shared;
    return (struct fraction){ upper / shared, lower / shared };
}

struct fraction fraction_add(struct fraction a, struct fraction b)
{
    return fraction_of(a.upper * b.lower + b.upper * a.lower, a.lower * b.lower);
}

struct fraction fraction_multiply(struct fraction a, struct fraction b)
{
    return fraction_of(a.upper * b.upper, a.lower * b.lower);
}

void fraction_write(struct text *out, struct fraction fraction)
{
    if (fraction.lower == 1)
        text_format(out, "%ld", fraction.upper);
    else
        text_format(out, "%ld/%ld", fraction.upper, fraction.lower);
}
