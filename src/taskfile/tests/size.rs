//! Amounts of memory.

use super::super::parse_bytes;
use super::super::size::bytes_of_number;

#[test]
fn amounts() {
    let cases = [
        ("0", 0),
        ("1048576", 1 << 20),
        ("1B", 1),
        ("2GB", 2_000_000_000),
        ("512MiB", 512 << 20),
        (" 1.5 kB ", 1_500),
        ("1.0001kB", 1_000),
        ("64K", 64 << 10),
        ("1Gi", 1 << 30),
        ("3TiB", 3 << 40),
        ("007MB", 7_000_000),
    ];
    for (text, bytes) in cases {
        assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
    }
    assert_eq!(bytes_of_number("2e9"), Ok(2_000_000_000));
    assert_eq!(bytes_of_number("4096"), Ok(4096));
}

#[test]
fn what_is_no_amount() {
    let cases = [
        ("", "an empty amount"),
        ("-1", "an amount of memory cannot be negative"),
        ("MB", "`MB` is not an amount of memory"),
        ("1..5MB", "`1..5MB` is not an amount of memory"),
        (".5MB", "`.5MB` is not an amount of memory"),
        ("1GB 5MB", "`1GB 5MB` is not an amount of memory"),
        ("2Gb", "`Gb` are bits; write `GB`"),
        (
            "2mb",
            "unknown unit of memory `mb` (units are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB)",
        ),
        ("99999999999TB", "an amount of memory that no machine has"),
        (
            "9999999999999999999",
            "an amount of memory that no machine has",
        ),
    ];
    for (text, expected) in cases {
        let error = parse_bytes(text).expect_err(text);
        assert_eq!(error.to_string(), expected, "{text}");
    }
    for number in ["-1e3", "1e300"] {
        bytes_of_number(number).expect_err(number);
    }
}
