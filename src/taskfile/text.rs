//! Turns the bytes of a task file into text.
//!
//! Owns the byte order mark and the report about bytes that are not UTF-8. It does not know JSON.

use super::diagnostic::Diagnostics;
use super::findings::{Finding, Findings};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Bytes shown after one that is not UTF-8.
const SHOWN_AFTER: usize = 40;

/// `bytes` without a leading byte order mark.
pub(super) fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Whether a line holds nothing but JSON's blanks.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// The text of `bytes`, which start with line `first_line`; a byte order mark at the start of the file is dropped.
pub(super) fn decode<'b>(
    bytes: &'b [u8],
    name: &str,
    first_line: usize,
) -> Result<&'b str, Diagnostics> {
    let bytes = if first_line == 1 {
        without_mark(bytes)
    } else {
        bytes
    };
    std::str::from_utf8(bytes).map_err(|error| {
        let (good, bad) = bytes.split_at(error.valid_up_to());
        let line_start = good
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        let line = first_line
            + good[..line_start]
                .iter()
                .filter(|&&byte| byte == b'\n')
                .count();
        let mut shown = String::from_utf8_lossy(&good[line_start..]).into_owned();
        let at = shown.len();
        let after = &bad[..bad.len().min(SHOWN_AFTER)];
        shown.push_str(&String::from_utf8_lossy(after));
        let message = format!(
            "the byte 0x{:02x} is not UTF-8 here",
            bad.first().copied().unwrap_or_default()
        );
        let finding = Finding::new(at..at + 3, String::new(), message);
        let mut findings = Findings::default();
        findings.push(finding.help("a task file is UTF-8 text"));
        findings
            .report(name, &shown, line)
            .expect_err("one error was pushed")
    })
}
