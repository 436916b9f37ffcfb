#include "dates.h"

bool is_leap(long year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in(long year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return days[month - 1] + (month == 2 && is_leap(year));
}

long date_to_days(struct date date)
{
    long before = date.year - 1;
    long days = 365 * before + before / 4 - before / 100 + before / 400 - 719162;
    for (int month = 1; month < date.month; month++)
        days += days_in(date.year, month);
    return days + date.day - 1;
}

struct date date_of_days(long days)
{
    /* Not after the day; then forward. */
    struct date date = { days < 0 ? 1969 + days / 365 : 1970 + days / 366, 1, 1 };
    while (date_to_days((struct date){ date.year + 1, 1, 1 }) <= days)
        date.year++;
    long left = days - date_to_days(date);
    for (; left >= days_in(date.year, date.month); date.month++)
        left -= days_in(date.year, date.month);
    date.day = (int)left + 1;
    return date;
}

const char *week_day(long days)
{
    static const char *const names[] = { "Thursday", "Friday",  "Saturday", "Sunday",
                                         "Monday",   "Tuesday", "Wednesday" };
    return names[(days % 7 + 7) % 7];
}
