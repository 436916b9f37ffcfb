#include "text.h"
#include "die.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_add_bytes(struct text *text, const char *bytes, size_t count)
{
    if (text->length + count + 1 > text->room) {
        size_t room = text->room ? text->room : 16;
        while (room < text->length + count + 1)
            room *= 2;
        text->bytes = need_more(text->bytes, room, 1);
        text->room = room;
    }
    if (count)
        memcpy(text->bytes + text->length, bytes, count);
    text->length += count;
    text->bytes[text->length] = 0;
}

void text_add(struct text *text, char byte)
{
    text_add_bytes(text, &byte, 1);
}

void text_add_string(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
    char small[256];
    va_list words;
    va_start(words, format);
    int length = vsnprintf(small, sizeof small, format, words);
    va_end(words);
    if (length < 0 || (size_t)length >= sizeof small)
        die("a formatted text is longer than %zu bytes", sizeof small);
    text_add_bytes(text, small, (size_t)length);
}

const char *text_string(const struct text *text)
{
    return text->bytes ? text->bytes : "";
}

void text_free(struct text *text)
{
    free(text->bytes);
    *text = (struct text){ 0 };
}
