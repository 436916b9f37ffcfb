/* Formats of files. A reader answers what is wrong, or NULL. */
#ifndef FORMS_H
#define FORMS_H

#include "slice.h"
#include "text.h"
#include "vector.h"

/* A line of comma-separated cells, into a vector of strings that are the caller's. */
const char *csv_line(struct slice line, struct vector *cells);
void csv_free(struct vector *cells);

/* `[section]`, `name = value` and `; remark`: tells each value. */
typedef void ini_tell(struct slice section, struct slice name, struct slice value, void *with);
const char *ini_read(struct slice in, ini_tell *tell, void *with);

/* JSON, without blanks or with two to the level. */
const char *json_format(struct text *out, struct slice in, bool wide);

#endif
