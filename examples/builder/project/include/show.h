/* What the program shows of itself, one part a function. */
#ifndef SHOW_H
#define SHOW_H

#include "text.h"

void show_codes(struct text *out);
void show_prose(struct text *out);
void show_matches(struct text *out);
void show_sorts(struct text *out);
void show_stores(struct text *out);
void show_maths(struct text *out);
void show_dates(struct text *out);
void show_games(struct text *out);
void show_ways(struct text *out);
void show_forms(struct text *out);
void show_script(struct text *out);

#endif
