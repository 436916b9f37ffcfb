/* A program that is not ours: it counts the words of its second argument by the worker program of its first. */
#include <stdio.h>

long long embedded_words(const char *worker, const char *text);

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: %s WORKER TEXT\n", arguments[0]);
        return 2;
    }
    long long words = embedded_words(arguments[1], arguments[2]);
    printf("%lld\n", words);
    return words < 0;
}
