#include "letters.h"
#include "prose.h"

void wrap(struct text *out, struct slice in, size_t width)
{
    size_t column = 0;
    for (size_t i = 0; i < in.length;) {
        if (is_blank(in.start[i])) {
            i++;
            continue;
        }
        size_t end = i;
        while (end < in.length && !is_blank(in.start[end]))
            end++;
        if (column && column + 1 + (end - i) > width) {
            text_add(out, '\n');
            column = 0;
        } else if (column) {
            text_add(out, ' ');
            column++;
        }
        text_add_bytes(out, in.start + i, end - i);
        column += end - i;
        i = end;
    }
    if (column)
        text_add(out, '\n');
}
