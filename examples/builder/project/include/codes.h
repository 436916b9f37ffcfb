/* Bytes written in other ways, and back. A decoder answers false when the code is none; what it added stays. */
#ifndef CODES_H
#define CODES_H

#include "slice.h"
#include "text.h"

void hex_encode(struct text *out, struct slice in);
bool hex_decode(struct text *out, struct slice in);
void base64_encode(struct text *out, struct slice in);
bool base64_decode(struct text *out, struct slice in);
/* Runs as a count and a letter. */
void runs_encode(struct text *out, struct slice in);
bool runs_decode(struct text *out, struct slice in);
/* Letters, so many further in the alphabet. */
void caesar(struct text *out, struct slice in, int by);

#endif
