#include "match.h"

/* The end of a class, with whether `c` is in it; NULL when it has none. */
static const char *match_class(const char *pattern, char c, bool *in)
{
    bool inverted = *pattern == '!';
    const char *at = pattern + inverted;
    bool found = false;
    do {
        char low = *at, high = low;
        if (!low)
            return NULL;
        if (at[1] == '-' && at[2] && at[2] != ']') {
            high = at[2];
            at += 2;
        }
        found |= low <= c && c <= high;
        at++;
    } while (*at != ']');
    *in = found != inverted;
    return at + 1;
}

bool glob_match(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        bool in = false;
        const char *next = NULL;
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
            continue;
        }
        if (*pattern == '[')
            next = match_class(pattern + 1, *text, &in);
        if (!next) {
            in = *pattern && (*pattern == '?' || *pattern == *text);
            next = pattern + 1;
        }
        if (in) {
            pattern = next;
            text++;
        } else if (star) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}
