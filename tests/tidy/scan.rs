//! Reading Rust as far as the rules need it: code without comments and literals, words, paths into `std`.
//!
//! Knows no grammar beyond that. A macro that builds a forbidden word from pieces goes unseen; clippy and
//! review remain.

/// The source with comments and the contents of literals blanked out. Lines keep their numbers.
pub(crate) fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped_until(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(
                chars[at..end]
                    .iter()
                    .map(|c| if *c == '\n' { '\n' } else { ' ' }),
            );
            at = end;
        }
    }
    out
}

/// Where the comment or literal that starts at `at` ends; `at` itself when none starts here.
fn skipped_until(chars: &[char], at: usize) -> usize {
    match (chars[at], chars.get(at + 1)) {
        ('/', Some('/')) => until(chars, at, |rest| rest[0] == '\n', 0),
        ('/', Some('*')) => block_comment(chars, at),
        ('"', _) => quoted(chars, at + 1, '"'),
        // A lifetime has no closing quote: only `'x'` and `'\…'` are characters.
        ('\'', Some('\\')) => quoted(chars, at + 1, '\''),
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        ('r', Some('"' | '#')) if at == 0 || !is_word(chars[at - 1]) || chars[at - 1] == 'b' => {
            raw_string(chars, at)
        }
        _ => at,
    }
}

fn until(chars: &[char], from: usize, stop: impl Fn(&[char]) -> bool, extra: usize) -> usize {
    let found = (from..chars.len()).find(|at| stop(&chars[*at..]));
    found.map_or(chars.len(), |at| at + extra)
}

fn block_comment(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn quoted(chars: &[char], from: usize, quote: char) -> usize {
    let mut at = from;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn raw_string(chars: &[char], from: usize) -> usize {
    let hashes = chars[from + 1..].iter().take_while(|c| **c == '#').count();
    let open = from + 1 + hashes;
    if chars.get(open) != Some(&'"') {
        return from; // a raw identifier
    }
    let closes = |rest: &[char]| {
        rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|c| *c == '#')
    };
    until(chars, open + 1, closes, hashes + 1)
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The words of a line of code, in order.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

/// Whether `needle` stands in `line` and does not continue a longer word or path to its left.
pub(crate) fn starts_word(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| is_word(c) || matches!(c, '.' | '-' | '/' | '}'))
    })
}

/// The segments of a name: `FooManager`, `foo_manager` and `foo-manager` all give `foo`, `manager`.
pub(crate) fn segments(name: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() {
            out.push(String::new());
        }
        if c.is_alphanumeric() {
            out.last_mut()
                .expect("starts with one")
                .extend(c.to_lowercase());
        }
    }
    out.retain(|segment| !segment.is_empty());
    out
}

/// Every path into `std` or `core` with its line from 1, use trees spread out: `std::{fs, io::Read}` gives
/// `std::fs` and `std::io::Read`.
pub(crate) fn std_paths(code: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    for root in ["std", "core"] {
        for (at, _) in code.match_indices(&format!("{root}::")) {
            if code[..at].chars().next_back().is_some_and(is_word) {
                continue;
            }
            let line = code[..at].lines().count().max(1);
            let mut paths = Vec::new();
            spread(&code[at + root.len() + 2..], "std", &mut paths);
            out.extend(paths.into_iter().map(|path| (line, path)));
        }
    }
    out
}

/// Adds the paths of one use tree and returns what stands behind it.
fn spread<'a>(tree: &'a str, prefix: &str, out: &mut Vec<String>) -> &'a str {
    let tree = tree.trim_start();
    if let Some(mut rest) = tree.strip_prefix('{') {
        loop {
            rest = spread(rest, prefix, out);
            let next = rest.find([',', '}', ';']).map_or("", |at| &rest[at..]);
            match next.strip_prefix(',') {
                Some(more) if !more.trim_start().starts_with('}') => rest = more,
                Some(end) => return end.trim_start().trim_start_matches('}'),
                None => return next.strip_prefix('}').unwrap_or(next),
            }
        }
    }
    let end = tree.find(|c| !is_word(c) && c != '*').unwrap_or(tree.len());
    let path = if end == 0 {
        prefix.to_owned()
    } else {
        format!("{prefix}::{}", &tree[..end])
    };
    match tree[end..].strip_prefix("::") {
        Some(rest) if end > 0 => spread(rest, &path, out),
        _ => {
            out.push(path);
            &tree[end..]
        }
    }
}

#[test]
fn comments_and_literals_are_no_code() {
    let source =
        "a(\"x // y\\\" z\"); // b\n/* c /* d */ e */ f('\\'', 'g', r#\"h \" i\"#, b\"j\")";
    let words: Vec<String> = words(&code_only(source)).map(str::to_owned).collect();
    assert_eq!(words, ["a", "f", "b"], "of {source}");
    assert_eq!(
        code_only("fn f<'a>(x: &'a str) {}"),
        "fn f<'a>(x: &'a str) {}"
    );
    assert_eq!(
        code_only("\"\n\"\nx").lines().nth(2),
        Some("x"),
        "lines keep their numbers"
    );
}

#[test]
fn names_fall_into_segments() {
    assert_eq!(segments("FooManager"), ["foo", "manager"]);
    assert_eq!(segments("foo_data-set.rs"), ["foo", "data", "set", "rs"]);
    assert_eq!(segments("Metadata"), ["metadata"]);
}

#[test]
fn use_trees_are_spread_out() {
    let code = "x\nuse std::{fs::{self, File}, io, time::Instant,};\nlet y = core::mem::take(z);";
    let found: Vec<String> = std_paths(code)
        .into_iter()
        .map(|(line, path)| format!("{line} {path}"))
        .collect();
    let all = [
        "2 std::fs::self",
        "2 std::fs::File",
        "2 std::io",
        "2 std::time::Instant",
        "3 std::mem::take",
    ];
    assert_eq!(found, all);
}

#[test]
fn a_path_is_seen_where_it_starts() {
    assert!(starts_word("see (/a/b)", "/a/"));
    assert!(!starts_word("see x/a/b ./a/b https://a/a/", "/a/"));
}
