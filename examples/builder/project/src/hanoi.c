#include "games.h"

void hanoi(struct text *out, int discs, char from, char over, char to)
{
    if (discs == 0)
        return;
    hanoi(out, discs - 1, from, to, over);
    text_format(out, "%c%c ", from, to);
    hanoi(out, discs - 1, over, from, to);
}
