#include "match.h"
#include "show.h"
#include <string.h>

void show_matches(struct text *out)
{
    static const char *const names[] = { "main.c", "main.h", "domain.c", "x7.c" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        text_format(out, "%s: %d%d%d%d\n", names[i], glob_match("*.[ch]", names[i]), glob_match("[a-z]?.c", names[i]),
                    pattern_match("ma*in", names[i]), pattern_match("^m.+c$", names[i]));
    text_format(out, "edits: %zu\n", edit_distance("kitten", "sitting"));
    text_add_string(out, "shared: ");
    longest_shared(out, "nematode knowledge", "empty bottle");
    const char *text = "find the needle in the hay";
    text_format(out, "\nfound at: %td\n", find_bytes(text, strlen(text), "needle", 6) - text);
}
