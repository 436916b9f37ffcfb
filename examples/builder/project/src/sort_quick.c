#include "sorts.h"

/* Below this many, insertion is faster. */
#define FEW 12

static void swap(long *a, long *b)
{
    long kept = *a;
    *a = *b;
    *b = kept;
}

void sort_quick(long *items, size_t count)
{
    while (count > FEW) {
        long pivot = items[count / 2];
        size_t low = 0, high = count - 1;
        for (;;) {
            while (items[low] < pivot)
                low++;
            while (items[high] > pivot)
                high--;
            if (low >= high)
                break;
            swap(&items[low++], &items[high--]);
        }
        /* The smaller part by a call, the larger one here: the stack stays low. */
        size_t split = high + 1;
        if (split < count - split) {
            sort_quick(items, split);
            items += split;
            count -= split;
        } else {
            sort_quick(items + split, count - split);
            count = split;
        }
    }
    sort_insert(items, count);
}
