#include "big.h"
#include "die.h"
#include <stdlib.h>

#define BASE 1000000000u

static void push(struct big *big, uint32_t digit)
{
    if (big->count == big->room) {
        big->room = big->room ? 2 * big->room : 4;
        big->digits = need_more(big->digits, big->room, sizeof *big->digits);
    }
    big->digits[big->count++] = digit;
}

void big_set(struct big *big, uint32_t value)
{
    big->count = 0;
    for (; value; value /= BASE)
        push(big, value % BASE);
}

void big_add(struct big *to, const struct big *other)
{
    uint32_t carry = 0;
    for (size_t i = 0; i < other->count || carry; i++) {
        if (i == to->count)
            push(to, 0);
        uint32_t sum = to->digits[i] + (i < other->count ? other->digits[i] : 0) + carry;
        carry = sum >= BASE;
        to->digits[i] = sum % BASE;
    }
}

void big_multiply(struct big *big, uint32_t by)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < big->count; i++) {
        carry += (uint64_t)big->digits[i] * by;
        big->digits[i] = (uint32_t)(carry % BASE);
        carry /= BASE;
    }
    for (; carry; carry /= BASE)
        push(big, (uint32_t)(carry % BASE));
}

void big_write(struct text *out, const struct big *big)
{
    size_t at = big->count;
    text_format(out, "%u", at ? big->digits[--at] : 0);
    while (at)
        text_format(out, "%09u", big->digits[--at]);
}

void big_free(struct big *big)
{
    free(big->digits);
    *big = (struct big){ 0 };
}
