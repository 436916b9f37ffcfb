#include "die.h"
#include "match.h"
#include <stdlib.h>
#include <string.h>

void longest_shared(struct text *out, const char *one, const char *other)
{
    size_t height = strlen(one), width = strlen(other) + 1;
    /* At [i][j]: how many letters the rests from there share. */
    size_t *lengths = need((height + 1) * width, sizeof *lengths);
    for (size_t i = height; i-- > 0;) {
        for (size_t j = width - 1; j-- > 0;) {
            size_t down = lengths[(i + 1) * width + j], right = lengths[i * width + j + 1];
            size_t best = down > right ? down : right;
            lengths[i * width + j] = one[i] == other[j] ? lengths[(i + 1) * width + j + 1] + 1 : best;
        }
    }
    for (size_t i = 0, j = 0; one[i] && other[j];) {
        if (one[i] == other[j]) {
            text_add(out, one[i]);
            i++;
            j++;
        } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) {
            i++;
        } else {
            j++;
        }
    }
    free(lengths);
}
