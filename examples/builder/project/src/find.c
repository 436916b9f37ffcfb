#include "match.h"
#include <string.h>

const char *find_bytes(const char *text, size_t length, const char *wanted, size_t wanted_length)
{
    size_t skips[256];
    if (!wanted_length)
        return text;
    for (size_t i = 0; i < 256; i++)
        skips[i] = wanted_length;
    for (size_t i = 0; i + 1 < wanted_length; i++)
        skips[(unsigned char)wanted[i]] = wanted_length - 1 - i;
    for (size_t at = 0; at + wanted_length <= length;) {
        if (!memcmp(text + at, wanted, wanted_length))
            return text + at;
        at += skips[(unsigned char)text[at + wanted_length - 1]];
    }
    return NULL;
}
