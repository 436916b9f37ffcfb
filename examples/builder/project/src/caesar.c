#include "codes.h"
#include "letters.h"

void caesar(struct text *out, struct slice in, int by)
{
    by = (by % 26 + 26) % 26;
    for (size_t i = 0; i < in.length; i++) {
        char c = in.start[i];
        char first = to_lower(c) == c ? 'a' : 'A';
        text_add(out, is_letter(c) ? (char)(first + (c - first + by) % 26) : c);
    }
}
