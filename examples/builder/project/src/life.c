#include "games.h"
#include "die.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void step(const char *now, char *next, size_t width, size_t height)
{
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            int around = 0;
            for (size_t dy = height - 1; dy <= height + 1; dy++)
                for (size_t dx = width - 1; dx <= width + 1; dx++)
                    around += now[(y + dy) % height * (width + 1) + (x + dx) % width] == '#';
            bool lives = now[y * (width + 1) + x] == '#';
            next[y * (width + 1) + x] = around == 3 || (lives && around == 4) ? '#' : '.';
        }
    }
}

void life(struct text *board, int steps)
{
    const char *end = memchr(text_string(board), '\n', board->length);
    if (!end)
        die("a board has no line");
    size_t width = (size_t)(end - board->bytes), height = board->length / (width + 1);
    char *next = need(board->length + 1, 1);
    memcpy(next, board->bytes, board->length);
    while (steps-- > 0) {
        step(board->bytes, next, width, height);
        memcpy(board->bytes, next, board->length);
    }
    free(next);
}
