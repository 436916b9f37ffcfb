#include "letters.h"
#include "prose.h"

void count_words(struct map *counts, struct slice in)
{
    struct text word = { 0 };
    for (size_t i = 0; i <= in.length; i++) {
        if (i < in.length && is_letter(in.start[i])) {
            text_add(&word, to_lower(in.start[i]));
        } else if (word.length) {
            ++*map_at(counts, (struct slice){ word.bytes, word.length });
            word.length = 0;
        }
    }
    text_free(&word);
}
