#include "codes.h"
#include "letters.h"

void runs_encode(struct text *out, struct slice in)
{
    for (size_t i = 0, length; i < in.length; i += length) {
        for (length = 1; i + length < in.length && in.start[i + length] == in.start[i];)
            length++;
        if (length > 1)
            text_format(out, "%zu", length);
        text_add(out, in.start[i]);
    }
}

bool runs_decode(struct text *out, struct slice in)
{
    size_t length = 0;
    for (size_t i = 0; i < in.length; i++) {
        if (is_digit(in.start[i])) {
            length = 10 * length + (size_t)(in.start[i] - '0');
            if (length > 1000000)
                return false;
            continue;
        }
        for (size_t j = 0; j < (length ? length : 1); j++)
            text_add(out, in.start[i]);
        length = 0;
    }
    return !length;
}
