#include "prose.h"
#include "show.h"

static const char story[] = "The quick brown fox jumps over the lazy dog. The dog sleeps; the fox is gone, "
                            "and the night is long.";

void show_prose(struct text *out)
{
    struct map counts = { 0 };
    wrap(out, slice_of(story), 32);
    count_words(&counts, slice_of(story));
    for (size_t i = 0; i < counts.count; i++)
        if (counts.entries[i].value > 1)
            text_format(out, "%s: %ld\n", counts.entries[i].name, counts.entries[i].value);
    map_free(&counts);
    text_format(out, "utf8: %ld %ld\n", utf8_length(slice_of("gr\xc3\xbc\xc3\x9f dich")), utf8_length(slice_of("\xc3")));
    roman_write(out, 1994);
    text_format(out, " is %ld\n", roman_read(slice_of("MCMXCIV")));
    spell(out, -1204017);
    text_add(out, '\n');
}
