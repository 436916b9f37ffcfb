#include "die.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void die(const char *format, ...)
{
    va_list words;
    va_start(words, format);
    fputs("desk: ", stderr);
    vfprintf(stderr, format, words);
    fputc('\n', stderr);
    va_end(words);
    exit(2);
}

void *need(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory)
        die("no memory for %zu things of %zu bytes", count, size);
    return memory;
}

void *need_more(void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        die("%zu things of %zu bytes are too many", count, size);
    void *memory = realloc(old, count && size ? count * size : 1);
    if (!memory)
        die("no memory for %zu things of %zu bytes", count, size);
    return memory;
}
