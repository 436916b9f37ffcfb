#include "forms.h"
#include <stdlib.h>

const char *csv_line(struct slice line, struct vector *cells)
{
    struct text cell = { 0 };
    bool quoted = false;
    for (size_t i = 0; i <= line.length; i++) {
        bool end = i == line.length;
        if (quoted && end) {
            text_free(&cell);
            return "a quote is not closed";
        }
        if (quoted) {
            bool mark = line.start[i] == '"';
            if (mark && i + 1 < line.length && line.start[i + 1] == '"')
                i++;
            else if (mark)
                quoted = false;
            if (quoted)
                text_add(&cell, line.start[i]);
        } else if (end || line.start[i] == ',') {
            text_add_string(&cell, "");
            vector_push(cells, cell.bytes);
            cell = (struct text){ 0 };
        } else if (line.start[i] == '"') {
            quoted = true;
        } else {
            text_add(&cell, line.start[i]);
        }
    }
    return NULL;
}

void csv_free(struct vector *cells)
{
    while (cells->count)
        free(vector_pop(cells));
    vector_free(cells);
}
