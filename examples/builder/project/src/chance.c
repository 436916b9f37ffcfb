#include "chance.h"

uint32_t chance_below(struct chance *chance, uint32_t limit)
{
    chance->state = chance->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((chance->state >> 32) * limit >> 32);
}

void chance_shuffle(struct chance *chance, long *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = chance_below(chance, (uint32_t)i);
        long kept = items[i - 1];
        items[i - 1] = items[other];
        items[other] = kept;
    }
}
