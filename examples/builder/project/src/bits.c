#include "bits.h"
#include "die.h"
#include <stdlib.h>

struct bits bits_below(size_t limit)
{
    return (struct bits){ need(limit / 64 + 1, sizeof(uint64_t)), limit };
}

void bits_put(struct bits *bits, size_t number, bool in)
{
    if (number >= bits->limit)
        die("%zu is not below %zu", number, bits->limit);
    uint64_t bit = (uint64_t)1 << number % 64;
    if (in)
        bits->words[number / 64] |= bit;
    else
        bits->words[number / 64] &= ~bit;
}

bool bits_has(const struct bits *bits, size_t number)
{
    return number < bits->limit && bits->words[number / 64] >> number % 64 & 1;
}

size_t bits_count(const struct bits *bits)
{
    size_t count = 0;
    for (size_t i = 0; i <= bits->limit / 64; i++)
        for (uint64_t word = bits->words[i]; word; word &= word - 1)
            count++;
    return count;
}

void bits_free(struct bits *bits)
{
    free(bits->words);
    *bits = (struct bits){ 0 };
}
