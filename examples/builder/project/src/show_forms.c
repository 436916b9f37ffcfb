#include "forms.h"
#include "show.h"

static void tell(struct slice section, struct slice name, struct slice value, void *with)
{
    text_add_bytes(with, section.start, section.length);
    text_add(with, '.');
    text_add_bytes(with, name.start, name.length);
    text_add(with, '=');
    text_add_bytes(with, value.start, value.length);
    text_add(with, ' ');
}

void show_forms(struct text *out)
{
    struct vector cells = { 0 };
    csv_line(slice_of("one,\"two, and \"\"three\"\"\",,four"), &cells);
    for (size_t i = 0; i < cells.count; i++)
        text_format(out, "[%s]", (const char *)cells.items[i]);
    csv_free(&cells);
    text_add(out, '\n');
    const char *wrong = ini_read(slice_of("; colours\n[top]\nred = 1\n[low]\nblue=2\nnothing\n"), tell, out);
    text_format(out, "but %s\n", wrong ? wrong : "all is well");
    const char *json = "{\"a\": [1, 2, {\"b\": null}], \"c\": \"d, e\", \"f\": {}}";
    json_format(out, slice_of(json), false);
    text_add(out, '\n');
    json_format(out, slice_of(json), true);
    text_add(out, '\n');
    struct text dropped = { 0 };
    text_format(out, "%s\n", json_format(&dropped, slice_of("[1, 2"), false));
    text_free(&dropped);
}
