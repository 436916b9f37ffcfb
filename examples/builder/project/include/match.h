/* Patterns, and how far texts are from each other. */
#ifndef MATCH_H
#define MATCH_H

#include "text.h"
#include <stdbool.h>

/* `*`, `?`, `[a-z]` and `[!a-z]`, for the whole text. */
bool glob_match(const char *pattern, const char *text);
/* `^`, `$`, `.`, and `*`, `+`, `?` after a letter, anywhere in the text. */
bool pattern_match(const char *pattern, const char *text);
/* How many letters have to be changed, put in or left out. */
size_t edit_distance(const char *from, const char *to);
/* The longest text that can be had from both by leaving letters out. */
void longest_shared(struct text *out, const char *one, const char *other);
/* Where it begins, or NULL; after Horspool. */
const char *find_bytes(const char *text, size_t length, const char *wanted, size_t wanted_length);

#endif
