#include "codes.h"
#include "letters.h"

void hex_encode(struct text *out, struct slice in)
{
    for (size_t i = 0; i < in.length; i++)
        text_format(out, "%02x", (unsigned char)in.start[i]);
}

bool hex_decode(struct text *out, struct slice in)
{
    if (in.length % 2)
        return false;
    for (size_t i = 0; i < in.length; i += 2) {
        int high = hex_value(in.start[i]), low = hex_value(in.start[i + 1]);
        if (high < 0 || low < 0)
            return false;
        text_add(out, (char)(high * 16 + low));
    }
    return true;
}
