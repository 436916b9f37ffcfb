#include "prose.h"

static const char *const few[] = {
    "zero",   "one",    "two",    "three",    "four",     "five",    "six",     "seven",     "eight",    "nine",
    "ten",    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
};
static const char *const tens[] = { "",      "",      "twenty",  "thirty", "forty",
                                    "fifty", "sixty", "seventy", "eighty", "ninety" };
static const struct {
    unsigned long value;
    const char *word;
} steps[] = { { 1000000000, "billion" }, { 1000000, "million" }, { 1000, "thousand" }, { 100, "hundred" } };

static void spell_natural(struct text *out, unsigned long number)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (number < steps[i].value)
            continue;
        spell_natural(out, number / steps[i].value);
        text_format(out, " %s", steps[i].word);
        number %= steps[i].value;
        if (!number)
            return;
        text_add(out, ' ');
    }
    if (number < 20) {
        text_add_string(out, few[number]);
        return;
    }
    text_add_string(out, tens[number / 10]);
    if (number % 10)
        text_format(out, "-%s", few[number % 10]);
}

void spell(struct text *out, long number)
{
    if (number < 0)
        text_add_string(out, "minus ");
    spell_natural(out, number < 0 ? -(unsigned long)number : (unsigned long)number);
}
