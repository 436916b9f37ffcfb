#include "chance.h"
#include "die.h"
#include "show.h"
#include "sorts.h"
#include <stdlib.h>

#define COUNT 500

typedef void sort(long *items, size_t count);

void show_sorts(struct text *out)
{
    static const struct {
        const char *name;
        sort *sort;
    } sorts[] = { { "insert", sort_insert }, { "merge", sort_merge }, { "heap", sort_heap },
                  { "quick", sort_quick },   { "radix", sort_radix } };
    long *items = need(COUNT, sizeof *items);
    struct chance chance = { 7 };
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        for (long j = 0; j < COUNT; j++)
            items[j] = (j - COUNT / 2) * 3;
        chance_shuffle(&chance, items, COUNT);
        bool before = is_sorted(items, COUNT);
        sorts[i].sort(items, COUNT);
        text_format(out, "%s: %d %d, 100 is at %zu\n", sorts[i].name, before, is_sorted(items, COUNT),
                    search_sorted(items, COUNT, 100));
    }
    free(items);
}
