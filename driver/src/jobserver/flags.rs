//! The text of `MAKEFLAGS` and its kin: what it says of a jobserver, with and without it.
//!
//! Its words are separated by spaces. The first may be flags of one letter each, without a dash; what follows `--` are
//! variables.

use std::ffi::OsString;

/// Who looks for a jobserver in which variable: cargo and what it starts, make, old makes.
const VARIABLES: [&str; 3] = ["CARGO_MAKEFLAGS", "MAKEFLAGS", "MFLAGS"];

const AUTH: &str = "--jobserver-auth=";
const OLD_AUTH: &str = "--jobserver-fds=";

/// How the jobserver is named: the last of the new words counts, else the last of the old.
pub(super) fn auth(value: &str) -> Option<&str> {
    let last = |word: &str| Some(value.rsplit_once(word)?.1);
    let auth = last(AUTH).or_else(|| last(OLD_AUTH))?;
    auth.split(' ').next()
}

/// The variables of a worker that is to share a jobserver.
pub(super) fn naming(slots: u32, auth: &str) -> Vec<(&'static str, Option<OsString>)> {
    variables(|name, value| match name {
        "MFLAGS" => value.map(|value| without(value).into()),
        _ => Some(with(value.unwrap_or_default(), slots, auth).into()),
    })
}

/// The variables of a worker that is to know of no jobserver.
pub(super) fn hiding() -> Vec<(&'static str, Option<OsString>)> {
    variables(|_, value| Some(without(value?).into()))
}

fn variables(
    what: impl Fn(&str, Option<&str>) -> Option<OsString>,
) -> Vec<(&'static str, Option<OsString>)> {
    let each = VARIABLES.into_iter().map(|name| {
        let value = std::env::var_os(name);
        // One that is no text is of no use to anybody.
        let value = value.as_ref().and_then(|value| value.to_str());
        let value = what(name, value);
        (name, value.filter(|value| !value.is_empty()))
    });
    each.collect()
}

/// The flags without a jobserver, and without the number of jobs, which would open another one.
fn without(value: &str) -> String {
    let (flags, variables) = split(value);
    let kept = flags.split(' ').filter(|word| !is_about_jobs(word));
    join(kept.chain(variables))
}

fn with(value: &str, slots: u32, auth: &str) -> String {
    let value = without(value);
    let (flags, variables) = split(&value);
    let jobs = format!("-j{slots}");
    let new = format!("{AUTH}{auth}");
    // Makes before 4.2 know the old word alone, and no path.
    let old = format!("{OLD_AUTH}{auth}");
    let old = (!auth.starts_with("fifo:")).then_some(&*old);
    let ours = [Some(&*jobs), old, Some(&*new)].into_iter().flatten();
    join(flags.split(' ').chain(ours).chain(variables))
}

/// The flags, and everything from `--` on.
fn split(value: &str) -> (&str, Option<&str>) {
    if value == "--" || value.starts_with("-- ") {
        return ("", Some(value));
    }
    match value.find(" -- ") {
        Some(at) => (&value[..at], Some(&value[at + 1..])),
        None => (value, None),
    }
}

fn is_about_jobs(word: &str) -> bool {
    word.starts_with("--jobserver") || word.starts_with("--jobs") || word.starts_with("-j")
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    //! Values as makes write them.
    use super::*;

    #[test]
    fn taken_out() {
        for (value, expected) in [
            ("", ""),
            (" -j3 --jobserver-auth=3,4", ""),
            (
                "ks -j3 --jobserver-auth=3,4 -- A=1 B=-j2",
                "ks -- A=1 B=-j2",
            ),
            (
                "-j --jobserver-fds=3,4 --jobserver-auth=3,4 -I dir",
                "-I dir",
            ),
            (
                "--jobserver-style=fifo --jobserver-auth=fifo:/tmp/x -k",
                "-k",
            ),
            ("-- A=1", "-- A=1"),
            ("w", "w"),
        ] {
            assert_eq!(without(value), expected, "{value}");
        }
    }

    #[test]
    fn put_in() {
        assert_eq!(
            with("ks -j3 --jobserver-auth=3,4 -- A=1", 8, "5,6"),
            "ks -j8 --jobserver-fds=5,6 --jobserver-auth=5,6 -- A=1"
        );
        assert_eq!(with("", 2, "fifo:/x"), "-j2 --jobserver-auth=fifo:/x");
    }

    #[test]
    fn the_last_name_counts() {
        assert_eq!(
            auth("-j --jobserver-fds=1,2 --jobserver-auth=3,4 -k"),
            Some("3,4")
        );
        assert_eq!(
            auth("--jobserver-auth=a --jobserver-auth=fifo:b"),
            Some("fifo:b")
        );
        assert_eq!(auth("--jobserver-fds=1,2"), Some("1,2"));
        assert_eq!(auth("-j3"), None);
    }
}
