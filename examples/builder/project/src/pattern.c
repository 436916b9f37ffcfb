#include "match.h"

static bool here(const char *pattern, const char *text);

static bool one(char pattern, char c)
{
    return c && (pattern == '.' || pattern == c);
}

/* As many as there are between `least` and `most`, then the rest. */
static bool repeat(const char *pattern, const char *rest, const char *text, size_t least, size_t most)
{
    size_t count = 0;
    while (count < most && one(*pattern, text[count]))
        count++;
    for (;; count--) {
        if (count < least)
            return false;
        if (here(rest, text + count))
            return true;
        if (!count)
            return false;
    }
}

static bool here(const char *pattern, const char *text)
{
    if (!*pattern)
        return true;
    if (pattern[0] == '$' && !pattern[1])
        return !*text;
    switch (pattern[1]) {
    case '*':
        return repeat(pattern, pattern + 2, text, 0, (size_t)-1);
    case '+':
        return repeat(pattern, pattern + 2, text, 1, (size_t)-1);
    case '?':
        return repeat(pattern, pattern + 2, text, 0, 1);
    default:
        return one(*pattern, *text) && here(pattern + 1, text + 1);
    }
}

bool pattern_match(const char *pattern, const char *text)
{
    if (*pattern == '^')
        return here(pattern + 1, text);
    do {
        if (here(pattern, text))
            return true;
    } while (*text++);
    return false;
}
