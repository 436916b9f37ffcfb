#include "script.h"
#include "map.h"
#include "syntax.h"
#include <string.h>

/* How many arguments a function has at most, and how deep calls may be in each other. */
#define ARGUMENTS 8
#define DEEPEST 1000

/* A run, and the call that it is in. */
struct run {
    struct text *out;
    const struct syntax *script;
    const char *wrong;
    int line, depth;
    struct map *names;
    bool returns;
    long result;
};

static long value(struct run *run, const struct syntax *at);
static void statements(struct run *run, const struct syntax *at);

static long fail(struct run *run, const struct syntax *at, const char *wrong)
{
    if (!run->wrong) {
        run->wrong = wrong;
        run->line = at->line;
    }
    return 0;
}

static const struct syntax *function(const struct run *run, struct slice name)
{
    for (const struct syntax *at = run->script; at; at = at->next)
        if (at->sort == SORT_FUNCTION && at->word.length == name.length)
            if (!memcmp(at->word.start, name.start, name.length))
                return at;
    return NULL;
}

static long call(struct run *run, const struct syntax *at)
{
    long arguments[ARGUMENTS], result = 0;
    size_t count = 0;
    for (const struct syntax *given = at->first; given; given = given->next) {
        if (count == ARGUMENTS)
            return fail(run, at, "there are too many arguments");
        arguments[count++] = value(run, given);
    }
    const struct syntax *called = function(run, at->word);
    if (run->wrong || (!called && script_builtin(at->word, arguments, count, &result)))
        return result;
    if (!called)
        return fail(run, at, "there is no such function");
    if (run->depth == DEEPEST)
        return fail(run, at, "calls are too deep in each other");
    struct map names = { 0 };
    struct run inner = { run->out, run->script, NULL, 0, run->depth + 1, &names, false, 0 };
    size_t taken = 0;
    for (const struct syntax *name = called->first; name; name = name->next)
        *map_at(&names, name->word) = taken < count ? arguments[taken++] : 0;
    statements(&inner, called->second);
    run->wrong = inner.wrong;
    run->line = inner.line;
    map_free(&names);
    return inner.result;
}

static long binary(struct run *run, const struct syntax *at)
{
    long left = value(run, at->first), right = value(run, at->second), result = 0;
    bool over = false;
    char sign = at->word.start[0];
    bool equal = at->word.length == 2;
    switch (sign) {
    case '+':
        over = __builtin_add_overflow(left, right, &result);
        break;
    case '-':
        over = __builtin_sub_overflow(left, right, &result);
        break;
    case '*':
        over = __builtin_mul_overflow(left, right, &result);
        break;
    case '/':
    case '%':
        if (!right)
            return fail(run, at, "something is divided by nothing");
        if (right == -1)
            over = __builtin_sub_overflow(0, sign == '/' ? left : 0, &result);
        else
            result = sign == '/' ? left / right : left % right;
        break;
    case '<':
        result = equal ? left <= right : left < right;
        break;
    case '>':
        result = equal ? left >= right : left > right;
        break;
    default:
        result = (sign == '=') == (left == right);
    }
    return over ? fail(run, at, "a number is too large") : result;
}

static long value(struct run *run, const struct syntax *at)
{
    long *found, number;
    switch (at->sort) {
    case SORT_NUMBER:
        return at->number;
    case SORT_NAME:
        found = map_find(run->names, at->word);
        return found ? *found : fail(run, at, "a name has no value");
    case SORT_NEGATE:
        number = value(run, at->first);
        return __builtin_sub_overflow(0, number, &number) ? fail(run, at, "a number is too large") : number;
    case SORT_CALL:
        return call(run, at);
    default:
        return binary(run, at);
    }
}

static void statement(struct run *run, const struct syntax *at)
{
    long now = 0;
    switch (at->sort) {
    case SORT_ASSIGN:
        now = value(run, at->first);
        *map_at(run->names, at->word) = now;
        break;
    case SORT_PRINT:
        now = value(run, at->first);
        if (!run->wrong)
            text_format(run->out, "%ld\n", now);
        break;
    case SORT_RETURN:
        run->result = value(run, at->first);
        run->returns = true;
        break;
    case SORT_WHILE:
        while (!run->wrong && !run->returns && value(run, at->first))
            statements(run, at->second);
        break;
    case SORT_IF:
        statements(run, value(run, at->first) ? at->second : at->third);
        break;
    default:
        break;
    }
}

static void statements(struct run *run, const struct syntax *at)
{
    for (; at && !run->wrong && !run->returns; at = at->next)
        statement(run, at);
}

const char *script_run(struct text *out, struct slice script, int *line)
{
    struct arena arena = { 0 };
    struct map names = { 0 };
    struct run run = { .out = out, .names = &names };
    run.script = syntax_read(&arena, script, &run.wrong, &run.line);
    statements(&run, run.script);
    map_free(&names);
    arena_free(&arena);
    *line = run.line;
    return run.wrong;
}
