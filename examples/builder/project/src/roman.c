#include "prose.h"
#include <string.h>

static const struct {
    const char *sign;
    long value;
} signs[] = {
    { "M", 1000 }, { "CM", 900 }, { "D", 500 }, { "CD", 400 }, { "C", 100 }, { "XC", 90 }, { "L", 50 },
    { "XL", 40 },  { "X", 10 },   { "IX", 9 },  { "V", 5 },    { "IV", 4 },  { "I", 1 },
};

bool roman_write(struct text *out, long number)
{
    if (number < 1 || number > 3999)
        return false;
    for (size_t i = 0; number; i++)
        for (; number >= signs[i].value; number -= signs[i].value)
            text_add_string(out, signs[i].sign);
    return true;
}

long roman_read(struct slice in)
{
    long number = 0;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t length = strlen(signs[i].sign);
        while (in.length >= length && !memcmp(in.start, signs[i].sign, length)) {
            number += signs[i].value;
            in.start += length;
            in.length -= length;
        }
    }
    return in.length ? -1 : number;
}
