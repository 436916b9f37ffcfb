/* Things on boards. */
#ifndef GAMES_H
#define GAMES_H

#include "text.h"

/* So many steps of Conway's game on a torus; cells are `#`, lines end with a line end. */
void life(struct text *board, int steps);
/* In how many ways so many queens leave each other in peace. */
unsigned queens(unsigned size);
/* The fewest moves that bring a tower of discs to the third place, as letters. */
void hanoi(struct text *out, int discs, char from, char over, char to);
/* The shortest way through a maze of `#` from the first corner to the last, or -1. */
int maze_way(const char *const *rows, int height);

#endif
