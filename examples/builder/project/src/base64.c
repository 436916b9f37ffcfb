#include "codes.h"
#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct text *out, struct slice in)
{
    for (size_t i = 0; i < in.length; i += 3) {
        size_t left = in.length - i;
        uint32_t group = 0;
        for (size_t j = 0; j < 3; j++)
            group = group << 8 | (j < left ? (unsigned char)in.start[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            text_add(out, j <= left ? digits[group >> (18 - 6 * j) & 63] : '=');
    }
}

bool base64_decode(struct text *out, struct slice in)
{
    uint32_t group = 0;
    if (in.length % 4)
        return false;
    while (in.length && in.start[in.length - 1] == '=')
        in.length--;
    for (size_t i = 0; i < in.length; i++) {
        const char *digit = in.start[i] ? strchr(digits, in.start[i]) : NULL;
        if (!digit)
            return false;
        group = group << 6 | (uint32_t)(digit - digits);
        /* With each digit but the first of four, eight bits are whole. */
        if (i % 4)
            text_add(out, (char)(group >> (6 - 2 * (i % 4))));
    }
    return true;
}
