/* Text as people read it. */
#ifndef PROSE_H
#define PROSE_H

#include "map.h"
#include "text.h"

/* Lines of at most `width` letters, as long as no word is longer. */
void wrap(struct text *out, struct slice in, size_t width);
/* How often each word is there, in small letters. */
void count_words(struct map *counts, struct slice in);
/* How many characters UTF-8 bytes are; -1 when they are none. */
long utf8_length(struct slice in);
/* 1 to 3999 in Roman digits; false for others. */
bool roman_write(struct text *out, long number);
long roman_read(struct slice in);
/* A number in English words. */
void spell(struct text *out, long number);

#endif
