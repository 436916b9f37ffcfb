//! Lengths of time.

use std::time::Duration;

use super::super::duration::seconds_of_number;
use super::super::parse_duration;

#[test]
fn lengths_of_time() {
    let cases = [
        ("0", 0),
        ("30", 30_000_000_000),
        ("1.5", 1_500_000_000),
        ("250ms", 250_000_000),
        ("1m 30s", 90_000_000_000),
        ("1m30s", 90_000_000_000),
        (" 2 h ", 7_200_000_000_000),
        ("1h 0.5m 2s 3ms 4us 5ns", 3_632_003_004_005),
        ("1.5 hours", 5_400_000_000_000),
        ("2days", 172_800_000_000_000),
        ("0.0000000019", 1),
        ("007s", 7_000_000_000),
        ("3µs", 3_000),
    ];
    for (text, nanos) in cases {
        assert_eq!(
            parse_duration(text),
            Ok(Duration::from_nanos(nanos)),
            "{text}"
        );
    }
    assert_eq!(parse_duration("3650d"), Ok(super::super::MAX_DURATION));
    assert_eq!(seconds_of_number("1e3"), Ok(Duration::from_secs(1000)));
    assert_eq!(seconds_of_number("25E-2"), Ok(Duration::from_millis(250)));
}

#[test]
fn what_is_no_length_of_time() {
    let cases = [
        ("", "an empty duration"),
        ("  ", "an empty duration"),
        ("-1", "a duration cannot be negative"),
        ("-1s", "a duration cannot be negative"),
        ("s", "`s` is not a duration"),
        ("1..5s", "`1..5s` is not a duration"),
        ("1.s", "`1.s` is not a duration"),
        (".5s", "`.5s` is not a duration"),
        ("1m!", "`1m!` is not a duration"),
        ("3!", "`3!` is not a duration"),
        ("1m 30", "`30` has no unit"),
        ("30 1m", "`30` has no unit"),
        (
            "1 fortnight",
            "unknown unit of time `fortnight` (units are ns, us, ms, s, m, h, d)",
        ),
        ("3651d", "a duration longer than ten years"),
        (
            "99999999999999999999999999d",
            "a duration longer than ten years",
        ),
        (
            "999999999999999999d 999999999999999999d",
            "a duration longer than ten years",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(
            parse_duration(text).unwrap_err().to_string(),
            message,
            "{text}"
        );
    }
    assert_eq!(
        seconds_of_number("-1e2").unwrap_err().to_string(),
        "a duration cannot be negative"
    );
    assert_eq!(
        seconds_of_number("1e300").unwrap_err().to_string(),
        "a duration longer than ten years"
    );
    assert_eq!(
        seconds_of_number("1e999").unwrap_err().to_string(),
        "a duration longer than ten years"
    );
}
