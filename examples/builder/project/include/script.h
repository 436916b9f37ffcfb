/* Scripts that calculate. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "slice.h"
#include "text.h"

/* Adds what it prints; answers what is wrong, and in which line, or NULL. */
const char *script_run(struct text *out, struct slice script, int *line);

/* Functions that every script has. False when there is none of this name for so many arguments. */
bool script_builtin(struct slice name, const long *arguments, size_t count, long *result);

#endif
