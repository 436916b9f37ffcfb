#include "slice.h"
#include "letters.h"
#include <string.h>

struct slice slice_of(const char *string)
{
    return (struct slice){ string, strlen(string) };
}

struct slice slice_trim(struct slice slice)
{
    while (slice.length && is_blank(slice.start[0])) {
        slice.start++;
        slice.length--;
    }
    while (slice.length && is_blank(slice.start[slice.length - 1]))
        slice.length--;
    return slice;
}

bool slice_is(struct slice slice, const char *string)
{
    return strlen(string) == slice.length && !memcmp(slice.start, string, slice.length);
}

bool slice_next(struct slice *rest, char separator, struct slice *part)
{
    if (!rest->start)
        return false;
    const char *end = memchr(rest->start, separator, rest->length);
    *part = *rest;
    if (!end) {
        rest->start = NULL;
        rest->length = 0;
        return true;
    }
    part->length = (size_t)(end - rest->start);
    rest->length -= part->length + 1;
    rest->start = end + 1;
    return true;
}
