/* Text that grows. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* Always ends with a zero byte, which does not count. All zero: empty, and nothing to free. */
struct text {
    char *bytes;
    size_t length, room;
};

void text_add(struct text *text, char byte);
void text_add_bytes(struct text *text, const char *bytes, size_t count);
void text_add_string(struct text *text, const char *string);
void text_format(struct text *text, const char *format, ...);
const char *text_string(const struct text *text);
void text_free(struct text *text);

#endif
