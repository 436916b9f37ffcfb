#include "graph.h"
#include "show.h"

#define PLACES 6

void show_ways(struct text *out)
{
    struct way ways[] = { { 0, 1, 7 }, { 0, 2, 9 }, { 0, 5, 14 }, { 1, 2, 10 }, { 1, 3, 15 }, { 2, 3, 11 }, { 2, 5, 2 }, { 3, 4, 6 } };
    const size_t count = sizeof ways / sizeof *ways;
    long lengths[PLACES];
    size_t order[PLACES];
    shortest_ways(ways, count, 0, lengths, PLACES);
    text_add_string(out, "ways:");
    for (size_t i = 0; i < PLACES; i++)
        text_format(out, " %ld", lengths[i]);
    text_format(out, "\norder %s:", order_places(ways, count, order, PLACES) ? "holds" : "fails");
    for (size_t i = 0; i < PLACES; i++)
        text_format(out, " %zu", order[i]);
    text_format(out, "\nnet: %ld\n", shortest_net(ways, count, PLACES));
}
