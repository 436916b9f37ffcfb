#include "prose.h"

long utf8_length(struct slice in)
{
    long length = 0;
    for (size_t i = 0; i < in.length; length++) {
        unsigned char first = (unsigned char)in.start[i++];
        int more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
        if (more < 0)
            return -1;
        for (; more; more--, i++)
            if (i >= in.length || ((unsigned char)in.start[i] & 0xc0) != 0x80)
                return -1;
    }
    return length;
}
