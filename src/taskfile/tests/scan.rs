//! Where values end.

use super::super::scan::{MAX_DEPTH, Scan};

#[test]
fn values_end_where_they_end() {
    for (text, end) in [
        ("1,", 1),
        (" -1.5e+3]", 8),
        ("\"a\\\"b\\\\\" x", 8),
        ("{\"a\":[1,{}]}}", 12),
        ("[\"]\"],", 5),
        ("true]", 4),
        ("\"é\" ", 4),
    ] {
        assert_eq!(
            Scan::new(text, 0).value().map(|span| span.end),
            Ok(end),
            "{text}"
        );
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Scan::new(&nested(MAX_DEPTH), 0).value().is_ok());
    let flaw = Scan::new(&nested(MAX_DEPTH + 1), 0).value().unwrap_err();
    assert_eq!(
        (flaw.message.as_str(), flaw.span.start),
        ("nested deeper than 128 levels", MAX_DEPTH)
    );
    assert!(Scan::new(&"[".repeat(100_000), 0).value().is_err());
}

#[test]
fn a_text_that_only_ended_too_early_is_told_apart() {
    for (text, incomplete) in [
        ("[1,", true),
        ("{", true),
        ("\"a", true),
        ("", true),
        ("[}", false),
        ("\"a\nb\"", false),
        ("]", false),
    ] {
        assert_eq!(
            Scan::new(text, 0).value().unwrap_err().incomplete,
            incomplete,
            "{text}"
        );
    }
}
