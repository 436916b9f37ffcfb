#include "games.h"
#include "show.h"

void show_games(struct text *out)
{
    static const char *const maze[] = { "..#....", "#.#.##.", "....#..", ".####.#", "......." };
    struct text board = { 0 };
    text_add_string(&board, ".#....\n..#...\n###...\n......\n......\n");
    life(&board, 5);
    text_add_string(out, text_string(&board));
    text_free(&board);
    text_format(out, "queens: %u, maze: %d\nhanoi: ", queens(8), maze_way(maze, 5));
    hanoi(out, 3, 'a', 'b', 'c');
    text_add(out, '\n');
}
