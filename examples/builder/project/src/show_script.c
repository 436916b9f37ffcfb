#include "script.h"
#include "show.h"

static const char script[] = "fn fib(n) { if n < 2 { return n; } return fib(n - 1) + fib(n - 2); }\n"
                             "fn power(base, n) { result = 1; while n > 0 { result = result * base; n = n - 1; }\n"
                             "                    return result; }\n"
                             "print fib(15);            # calls within calls\n"
                             "print power(3, 20) % 1000;\n"
                             "print -2 * (3 + 4) == -14;\n"
                             "print gcd(84, max(36, 24)) + factor(91);\n"
                             "total = 0; i = 1;\n"
                             "while i <= 100 { if i % 3 == 0 { total = total + i; } else { total = total - 1; } i = i + 1; }\n"
                             "print total;\n"
                             "print 1 / (total - total);\n";

void show_script(struct text *out)
{
    int line = 0;
    const char *wrong = script_run(out, slice_of(script), &line);
    text_format(out, "line %d: %s\n", line, wrong ? wrong : "fine");
}
