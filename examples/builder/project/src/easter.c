#include "dates.h"

struct date easter(long year)
{
    long century = year / 100;
    long moon_shift = 15 + (3 * century + 3) / 4 - (8 * century + 13) / 25;
    long sun_shift = 2 - (3 * century + 3) / 4;
    long moon = year % 19;
    long seed = (19 * moon + moon_shift) % 30;
    long late = (seed + moon / 11) / 29;
    long full_moon = 21 + seed - late;
    long first_sunday = 7 - (year + year / 4 + sun_shift) % 7;
    long day = full_moon + 7 - (full_moon - first_sunday) % 7;
    return day > 31 ? (struct date){ year, 4, (int)day - 31 } : (struct date){ year, 3, (int)day };
}
