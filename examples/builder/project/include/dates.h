/* Days of the Gregorian calendar. */
#ifndef DATES_H
#define DATES_H

#include <stdbool.h>

struct date {
    long year;
    int month, day;
};

bool is_leap(long year);
/* Days since 1970-01-01. */
long date_to_days(struct date date);
struct date date_of_days(long days);
const char *week_day(long days);
/* Easter Sunday, after Gauss as corrected by Lichtenberg. */
struct date easter(long year);

#endif
