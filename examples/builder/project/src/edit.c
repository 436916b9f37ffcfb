#include "die.h"
#include "match.h"
#include <stdlib.h>
#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

size_t edit_distance(const char *from, const char *to)
{
    size_t width = strlen(to) + 1;
    size_t *row = need(width, sizeof *row);
    for (size_t j = 0; j < width; j++)
        row[j] = j;
    for (size_t i = 0; from[i]; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j < width; j++) {
            size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, corner + (from[i] != to[j - 1]));
            corner = above;
        }
    }
    size_t distance = row[width - 1];
    free(row);
    return distance;
}
