#include "die.h"
#include "games.h"
#include "ring.h"
#include <stdlib.h>
#include <string.h>

int maze_way(const char *const *rows, int height)
{
    static const int steps[][2] = { { 0, 1 }, { 1, 0 }, { 0, -1 }, { -1, 0 } };
    int width = (int)strlen(rows[0]), way = -1;
    int *lengths = need((size_t)(width * height), sizeof *lengths);
    struct ring next = { 0 };
    long at = 0;
    lengths[0] = 1;
    ring_push(&next, 0);
    while (ring_take(&next, &at)) {
        for (int i = 0; i < 4; i++) {
            int y = (int)at / width + steps[i][0], x = (int)at % width + steps[i][1];
            if (y < 0 || y >= height || x < 0 || x >= width || rows[y][x] == '#' || lengths[y * width + x])
                continue;
            lengths[y * width + x] = lengths[at] + 1;
            ring_push(&next, y * width + x);
        }
    }
    if (lengths[width * height - 1])
        way = lengths[width * height - 1] - 1;
    ring_free(&next);
    free(lengths);
    return way;
}
