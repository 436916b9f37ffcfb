#include "maths.h"
#include "script.h"
#include <stdlib.h>

bool script_builtin(struct slice name, const long *arguments, size_t count, long *result)
{
    if (count == 1 && slice_is(name, "abs"))
        *result = labs(arguments[0]);
    else if (count == 1 && slice_is(name, "factor"))
        *result = (long)smallest_factor((uint64_t)labs(arguments[0]));
    else if (count == 2 && slice_is(name, "gcd"))
        *result = (long)gcd((uint64_t)labs(arguments[0]), (uint64_t)labs(arguments[1]));
    else if (count == 2 && slice_is(name, "max"))
        *result = arguments[0] > arguments[1] ? arguments[0] : arguments[1];
    else
        return false;
    return true;
}
