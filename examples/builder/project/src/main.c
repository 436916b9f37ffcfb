/* `desk` shows all that it can do, `desk PART` one part, and `desk script FILE` runs a script. */
#include "die.h"
#include "script.h"
#include "show.h"
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    void (*show)(struct text *out);
} parts[] = {
    { "codes", show_codes }, { "prose", show_prose }, { "matches", show_matches }, { "sorts", show_sorts },
    { "stores", show_stores }, { "maths", show_maths }, { "dates", show_dates },   { "games", show_games },
    { "ways", show_ways },   { "forms", show_forms }, { "script", show_script },
};

static int run_file(const char *name)
{
    struct text script = { 0 }, out = { 0 };
    char bytes[4096];
    int line = 0;
    FILE *file = fopen(name, "r");
    if (!file)
        die("cannot open %s", name);
    for (size_t count; (count = fread(bytes, 1, sizeof bytes, file));)
        text_add_bytes(&script, bytes, count);
    fclose(file);
    const char *wrong = script_run(&out, (struct slice){ text_string(&script), script.length }, &line);
    fputs(text_string(&out), stdout);
    if (wrong)
        fprintf(stderr, "%s:%d: %s\n", name, line, wrong);
    text_free(&script);
    text_free(&out);
    return wrong != NULL;
}

int main(int count, char **arguments)
{
    struct text out = { 0 };
    bool shown = false;
    if (count == 3 && !strcmp(arguments[1], "script"))
        return run_file(arguments[2]);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (count > 1 && strcmp(arguments[1], parts[i].name) != 0)
            continue;
        text_format(&out, "-- %s\n", parts[i].name);
        parts[i].show(&out);
        shown = true;
    }
    if (!shown)
        die("there is no part `%s`", arguments[1]);
    fputs(text_string(&out), stdout);
    text_free(&out);
    return 0;
}
