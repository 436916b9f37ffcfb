/* What sort of character one is, in ASCII whatever the locale. */
#ifndef LETTERS_H
#define LETTERS_H

#include <stdbool.h>

bool is_blank(char c);
bool is_digit(char c);
bool is_letter(char c);
char to_lower(char c);
char to_upper(char c);
/* 0 to 15, or -1. */
int hex_value(char c);

#endif
