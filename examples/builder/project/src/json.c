#include "forms.h"
#include "letters.h"
#include <string.h>

/* How deep values may be in each other: each level is a level of our stack. */
#define DEEPEST 64

struct reader {
    struct slice rest;
    struct text *out;
    const char *wrong;
    bool wide;
};

static char peek(struct reader *reader)
{
    while (reader->rest.length && is_blank(*reader->rest.start)) {
        reader->rest.start++;
        reader->rest.length--;
    }
    return reader->rest.length ? *reader->rest.start : 0;
}

static void take(struct reader *reader, size_t count)
{
    text_add_bytes(reader->out, reader->rest.start, count);
    reader->rest.start += count;
    reader->rest.length -= count;
}

static void new_line(struct reader *reader, int depth)
{
    if (!reader->wide)
        return;
    text_add(reader->out, '\n');
    for (int i = 0; i < depth; i++)
        text_add_string(reader->out, "  ");
}

static void string(struct reader *reader)
{
    size_t length = 1;
    while (length < reader->rest.length && reader->rest.start[length] != '"')
        length += reader->rest.start[length] == '\\' ? 2 : 1;
    if (length >= reader->rest.length)
        reader->wrong = "a string has no end";
    else
        take(reader, length + 1);
}

static void plain(struct reader *reader)
{
    size_t length = 0;
    while (length < reader->rest.length && !strchr(",:]}[{\" \n\t", reader->rest.start[length]))
        length++;
    struct slice word = { reader->rest.start, length };
    bool number = length && (is_digit(*word.start) || *word.start == '-');
    if (!number && !slice_is(word, "true") && !slice_is(word, "false") && !slice_is(word, "null"))
        reader->wrong = "a value is none";
    else
        take(reader, length);
}

static void value(struct reader *reader, int depth)
{
    char open = peek(reader);
    if (open == '"') {
        string(reader);
        return;
    }
    if (open != '[' && open != '{') {
        plain(reader);
        return;
    }
    char close = open == '[' ? ']' : '}';
    take(reader, 1);
    if (depth == DEEPEST)
        reader->wrong = "values are too deep in each other";
    for (bool first = true; !reader->wrong && (peek(reader) != close || !first); first = false) {
        new_line(reader, depth + 1);
        if (open == '{') {
            if (peek(reader) == '"')
                string(reader);
            if (!reader->wrong && peek(reader) != ':')
                reader->wrong = "a name has no value";
            if (reader->wrong)
                return;
            take(reader, 1);
            if (reader->wide)
                text_add(reader->out, ' ');
        }
        value(reader, depth + 1);
        if (!reader->wrong && peek(reader) != ',') {
            if (peek(reader) != close)
                reader->wrong = "something is not closed";
            new_line(reader, depth);
            break;
        }
        if (!reader->wrong)
            take(reader, 1);
    }
    if (!reader->wrong)
        take(reader, 1);
}

const char *json_format(struct text *out, struct slice in, bool wide)
{
    struct reader reader = { in, out, NULL, wide };
    value(&reader, 0);
    if (!reader.wrong && peek(&reader))
        reader.wrong = "something comes after the end";
    return reader.wrong;
}
