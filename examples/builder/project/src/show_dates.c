#include "dates.h"
#include "show.h"

void show_dates(struct text *out)
{
    long days = date_to_days((struct date){ 2000, 2, 29 });
    struct date back = date_of_days(days), sunday = easter(2026);
    text_format(out, "%ld-%02d-%02d is a %s and day %ld\n", back.year, back.month, back.day, week_day(days), days);
    struct date first = date_of_days(-1);
    text_format(out, "the day before: %ld-%02d-%02d\n", first.year, first.month, first.day);
    text_format(out, "easter: %ld-%02d-%02d, %s\n", sunday.year, sunday.month, sunday.day, week_day(date_to_days(sunday)));
}
