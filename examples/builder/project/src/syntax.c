#include "syntax.h"
#include "number.h"
#include "token.h"

/* How deep a script may be nested: each level is some levels of our stack. */
#define DEEPEST 100

struct parser {
    struct arena *arena;
    struct tokens tokens;
    struct token token;
    const char *wrong;
    int depth;
};

static struct syntax *expression(struct parser *parser, int least);
static struct syntax *block(struct parser *parser);

static void fail(struct parser *parser, const char *wrong)
{
    if (!parser->wrong)
        parser->wrong = wrong;
}

static bool take(struct parser *parser, const char *word)
{
    if (parser->wrong || !slice_is(parser->token.word, word))
        return false;
    parser->token = token_next(&parser->tokens);
    return true;
}

static void expect(struct parser *parser, const char *word, const char *wrong)
{
    if (!take(parser, word))
        fail(parser, wrong);
}

static struct syntax *make(struct parser *parser, enum sort sort)
{
    struct syntax *made = arena_take(parser->arena, sizeof *made);
    made->sort = sort;
    made->word = parser->token.word;
    made->line = parser->token.line;
    return made;
}

/* What stands between brackets, with commas. */
static struct syntax *row(struct parser *parser)
{
    struct syntax *first = NULL, **next = &first;
    while (!parser->wrong && !slice_is(parser->token.word, ")")) {
        *next = expression(parser, 0);
        if (*next)
            next = &(*next)->next;
        if (!take(parser, ","))
            break;
    }
    expect(parser, ")", "a bracket is not closed");
    return first;
}

static struct syntax *operand(struct parser *parser)
{
    struct syntax *made;
    if (take(parser, "(")) {
        made = expression(parser, 0);
        expect(parser, ")", "a bracket is not closed");
    } else if (slice_is(parser->token.word, "-")) {
        made = make(parser, SORT_NEGATE);
        take(parser, "-");
        made->first = operand(parser);
    } else if (parser->token.sort == TOKEN_NUMBER) {
        made = make(parser, SORT_NUMBER);
        if (!number_parse(made->word, &made->number))
            fail(parser, "a number is too large");
        parser->token = token_next(&parser->tokens);
    } else if (parser->token.sort == TOKEN_NAME) {
        made = make(parser, SORT_NAME);
        parser->token = token_next(&parser->tokens);
        if (take(parser, "(")) {
            made->sort = SORT_CALL;
            made->first = row(parser);
        }
    } else {
        made = NULL;
        fail(parser, "a value is missing");
    }
    return made;
}

static int strength(struct slice sign)
{
    static const struct {
        const char *sign;
        int strength;
    } signs[] = { { "==", 1 }, { "!=", 1 }, { "<", 2 }, { "<=", 2 }, { ">", 2 }, { ">=", 2 },
                  { "+", 3 },  { "-", 3 },  { "*", 4 }, { "/", 4 },  { "%", 4 } };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (slice_is(sign, signs[i].sign))
            return signs[i].strength;
    return 0;
}

static struct syntax *expression(struct parser *parser, int least)
{
    if (++parser->depth > DEEPEST)
        fail(parser, "it is nested too deeply");
    struct syntax *left = parser->wrong ? NULL : operand(parser);
    for (int now; !parser->wrong && (now = strength(parser->token.word)) > least;) {
        struct syntax *made = make(parser, SORT_BINARY);
        parser->token = token_next(&parser->tokens);
        made->first = left;
        made->second = expression(parser, now);
        left = made;
    }
    parser->depth--;
    return left;
}

static struct syntax *statement(struct parser *parser)
{
    struct syntax *made = make(parser, SORT_PRINT);
    if (take(parser, "print") || take(parser, "return")) {
        made->sort = slice_is(made->word, "print") ? SORT_PRINT : SORT_RETURN;
        made->first = expression(parser, 0);
        expect(parser, ";", "a semicolon is missing");
    } else if (take(parser, "while") || take(parser, "if")) {
        made->sort = slice_is(made->word, "if") ? SORT_IF : SORT_WHILE;
        made->first = expression(parser, 0);
        made->second = block(parser);
        if (made->sort == SORT_IF && take(parser, "else"))
            made->third = block(parser);
    } else if (take(parser, "fn")) {
        made->sort = SORT_FUNCTION;
        made->word = parser->token.word;
        parser->token = token_next(&parser->tokens);
        expect(parser, "(", "a function has no parameters");
        made->first = row(parser);
        made->second = block(parser);
    } else {
        made->sort = SORT_ASSIGN;
        if (parser->token.sort != TOKEN_NAME)
            fail(parser, "a statement is none");
        parser->token = token_next(&parser->tokens);
        expect(parser, "=", "a value is not assigned");
        made->first = expression(parser, 0);
        expect(parser, ";", "a semicolon is missing");
    }
    return made;
}

static struct syntax *block(struct parser *parser)
{
    struct syntax *first = NULL, **next = &first;
    if (++parser->depth > DEEPEST)
        fail(parser, "it is nested too deeply");
    expect(parser, "{", "a block is missing");
    while (!parser->wrong && !take(parser, "}")) {
        *next = statement(parser);
        next = &(*next)->next;
    }
    parser->depth--;
    return first;
}

struct syntax *syntax_read(struct arena *arena, struct slice script, const char **wrong, int *line)
{
    struct parser parser = { .arena = arena, .tokens = { script, 1 } };
    struct syntax *first = NULL, **next = &first;
    parser.token = token_next(&parser.tokens);
    while (!parser.wrong && parser.token.sort != TOKEN_END) {
        *next = statement(&parser);
        next = &(*next)->next;
    }
    *wrong = parser.wrong;
    *line = parser.token.line;
    return parser.wrong ? NULL : first;
}
