#include "letters.h"
#include "sums.h"

bool luhn_holds(struct slice digits)
{
    int sum = 0;
    bool twice = false;
    for (size_t i = digits.length; i-- > 0; twice = !twice) {
        if (!is_digit(digits.start[i]))
            return false;
        int digit = digits.start[i] - '0';
        sum += twice ? digit / 5 + digit * 2 % 10 : digit;
    }
    return digits.length && sum % 10 == 0;
}
