//! The rules of the house as tests: what a review would otherwise have to notice every time.
//!
//! Each test is one rule over the whole repository. A message names file and line and says what to do. A folder
//! that is not there yet breaks no rule.

#[path = "tidy/scan.rs"]
mod scan;
#[path = "tidy/tree.rs"]
mod tree;

use scan::{code_only, segments, starts_word, std_paths, words};
use tree::{File, files, text};

/// The hard wall for a file; the aim is 200.
const LINES_MAX: usize = 500;

/// Words that say nothing about what a file or type is for.
const EMPTY_WORDS: [&str; 9] = [
    "common", "utils", "helpers", "misc", "imp", "internal", "manager", "info", "data",
];

/// Which rooms a room may use: (folder, package, at work, also in its tests).
const ROOMS: [(&str, &str, &[&str], &[&str]); 7] = [
    ("protocol", "farm-protocol", &[], &[]),
    ("master", "farm-master", &["farm-protocol"], &[]),
    ("worker", "farm-worker", &["farm-protocol"], &[]),
    (
        "driver",
        "farm-driver",
        &["farm-protocol", "farm-master"],
        &["farm-worker"],
    ),
    ("lockstep", "farm-lockstep", &[], &[]),
    (
        "sim",
        "farm-sim",
        &[
            "farm-lockstep",
            "farm-protocol",
            "farm-master",
            "farm-worker",
        ],
        &[],
    ),
    (
        "",
        "farm",
        &[
            "farm-protocol",
            "farm-master",
            "farm-worker",
            "farm-driver",
            "farm-lockstep",
            "farm-sim",
        ],
        &[],
    ),
];

/// What would let the machine's answer depend on something other than its events.
const IMPURE_PATHS: [&str; 7] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];
const IMPURE_WORDS: [&str; 6] = [
    "SystemTime",
    "HashMap",
    "HashSet",
    "rand",
    "getrandom",
    "fastrand",
];

fn check(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n  {}\n", findings.join("\n  "));
}

fn rust_files() -> impl Iterator<Item = File> {
    files().into_iter().filter(File::is_rust)
}

/// Findings from every line of code (comments and literals blanked) of the given files.
fn per_line(
    files: impl Iterator<Item = File>,
    judge: impl Fn(&File, &str) -> Option<String>,
) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(code_only(&file.text).lines()) {
            findings
                .extend(judge(&file, line).map(|what| format!("{}:{number}: {what}", file.path)));
        }
    }
    findings
}

#[test]
fn files_stay_short() {
    let long = rust_files().filter(|file| file.text.lines().count() > LINES_MAX);
    let findings: Vec<String> = long
        .map(|file| format!("{}:{}: beyond the wall", file.path, LINES_MAX + 1))
        .collect();
    check(
        "at most 500 lines a file: move a part with a name of its own to a file of its own",
        &findings,
    );
}

#[test]
fn every_module_says_what_it_owns() {
    let silent = rust_files().filter(|file| !file.text.trim_start().starts_with("//!"));
    let findings: Vec<String> = silent
        .map(|file| format!("{}:1: does not open with `//!`", file.path))
        .collect();
    check(
        "open a module with a few lines of `//!`: what it owns, what it does not know",
        &findings,
    );
}

#[test]
fn names_say_something() {
    let empty = |name: &str| {
        segments(name)
            .into_iter()
            .find(|s| EMPTY_WORDS.contains(&s.as_str()))
    };
    let mut findings: Vec<String> = files()
        .iter()
        .filter_map(|file| {
            Some(format!(
                "{}: `{}` in a file name",
                file.path,
                empty(&file.path)?
            ))
        })
        .collect();
    findings.extend(per_line(rust_files(), |_, line| {
        let names: Vec<&str> = words(line).collect();
        let declared = names.windows(2).filter(|pair| {
            matches!(
                pair[0],
                "struct" | "enum" | "union" | "trait" | "type" | "mod"
            )
        });
        let word = declared.filter_map(|pair| empty(pair[1])).next()?;
        Some(format!("`{word}` in the name of a type or module"))
    }));
    check(
        "a name says what a thing is for: choose a noun of the domain",
        &findings,
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        "todo!(",
        "unimplemented!(",
        "dbg!(",
        "#[ignore",
        "#![ignore",
    ];
    let mut findings = per_line(rust_files(), |_, line| {
        let mark = marks.iter().find(|mark| line.contains(**mark))?;
        Some(format!("`{mark}`"))
    });
    let note = concat!("FIX", "ME");
    for file in rust_files() {
        let noted = (1..)
            .zip(file.text.lines())
            .filter(|(_, line)| line.contains(note));
        findings.extend(noted.map(|(number, _)| format!("{}:{number}: `{note}`", file.path)));
    }
    check(
        "finish it, or say in the issue what is missing; a test runs or does not exist",
        &findings,
    );
}

#[test]
fn pure_rooms_forbid_unsafe_code() {
    let mut findings = Vec::new();
    for path in [
        "protocol/src/lib.rs",
        "master/src/lib.rs",
        "lockstep/src/lib.rs",
    ] {
        let lib = text(path).unwrap_or_else(|| "#![forbid(unsafe_code)]".to_owned());
        if !lib
            .lines()
            .any(|line| line.trim() == "#![forbid(unsafe_code)]")
        {
            findings.push(format!("{path}:1: `#![forbid(unsafe_code)]` is missing"));
        }
    }
    check(
        "the rules need no unsafe code: forbid it at the top of the crate",
        &findings,
    );
}

#[test]
fn unsafe_code_lives_in_two_files() {
    let with = |file: &File| {
        code_only(&file.text)
            .lines()
            .any(|line| words(line).any(|w| w == "unsafe"))
    };
    let mut findings = Vec::new();
    for (room, allowed) in [("driver", 1), ("worker", 1)] {
        let found: Vec<String> = rust_files()
            .filter(|f| f.room() == room && with(f))
            .map(|f| f.path)
            .collect();
        if found.len() > allowed {
            findings.push(format!(
                "{room}/: {} files: {}",
                found.len(),
                found.join(", ")
            ));
        }
    }
    // Its subject is a function for C, which has an exported name and is given pointers.
    let foreign = "examples/embedded/foreign.rs";
    let elsewhere = rust_files()
        .filter(|f| !matches!(f.room(), "driver" | "worker") && f.path != foreign && with(f));
    findings.extend(
        elsewhere.map(|file| format!("{}: `unsafe` outside driver/ and worker/", file.path)),
    );
    check(
        "`unsafe` lives in one small file of driver/ and one of worker/: move it there",
        &findings,
    );
}

#[test]
fn the_arrows_between_rooms_hold() {
    let mut findings = Vec::new();
    for file in files()
        .iter()
        .filter(|f| f.path == "Cargo.toml" || f.path.ends_with("/Cargo.toml"))
    {
        let Some((_, package, at_work, in_tests)) = ROOMS.iter().find(|room| room.0 == file.room())
        else {
            findings.push(format!(
                "{}: a new room: give it a row in ROOMS of tests/tidy.rs",
                file.path
            ));
            continue;
        };
        for (line, of_tests, name) in rooms_used(&file.text) {
            let allowed =
                at_work.contains(&name.as_str()) || (of_tests && in_tests.contains(&name.as_str()));
            if !allowed {
                findings.push(format!(
                    "{}:{line}: {package} must not use {name}",
                    file.path
                ));
            }
        }
    }
    check(
        "arrows go one way (design, rooms): let the room above join the two",
        &findings,
    );
}

/// The rooms a manifest names as dependencies: (line, of its tests, package).
fn rooms_used(manifest: &str) -> Vec<(usize, bool, String)> {
    let (mut out, mut table) = (Vec::new(), String::new());
    for (number, line) in (1..).zip(manifest.lines().map(str::trim)) {
        let key = line.split(['=', ' ']).next().unwrap_or_default();
        let mut name = key
            .split('.')
            .next()
            .unwrap_or_default()
            .trim_matches('"')
            .to_owned();
        if let Some(header) = line.strip_prefix('[') {
            header.trim_end_matches(']').clone_into(&mut table);
            let Some((_, last)) = table.rsplit_once("dependencies.") else {
                continue;
            };
            last.trim_matches('"').clone_into(&mut name);
        }
        let of_room = table.contains("dependencies") && !table.starts_with("workspace.");
        if of_room && name.starts_with("farm") {
            out.push((number, table.contains("dev-dependencies"), name));
        }
    }
    out
}

#[test]
fn a_manifest_gives_its_rooms() {
    let manifest = "[workspace.dependencies]\nfarm-a = 1\n[dependencies]\nfarm-b.workspace = true\nserde = 1\n\
                    [dev-dependencies.farm-c]\npath = \"x\"";
    let found = [
        (4, false, "farm-b".to_owned()),
        (6, true, "farm-c".to_owned()),
    ];
    assert_eq!(rooms_used(manifest), found);
}

#[test]
fn pure_rooms_stay_pure() {
    let pure = |file: &File| {
        [
            "protocol/src/",
            "master/src/",
            "worker/src/session",
            "lockstep/src/",
        ]
        .iter()
        .any(|p| file.path.starts_with(p))
    };
    let mut findings = per_line(rust_files().filter(pure), |file, line| {
        if let Some(word) = words(line).find(|word| IMPURE_WORDS.contains(word)) {
            return Some(format!("`{word}`"));
        }
        let prints = ["print!(", "println!("]
            .iter()
            .any(|print| line.contains(print));
        (prints && !file.is_test()).then(|| "prints".to_owned())
    });
    for file in rust_files().filter(pure) {
        let paths = std_paths(&code_only(&file.text))
            .into_iter()
            .filter(|(_, path)| {
                let within = |banned: &str| {
                    path.strip_prefix(banned)
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
                };
                IMPURE_PATHS.iter().any(|banned| within(banned))
            });
        findings.extend(paths.map(|(line, path)| format!("{}:{line}: `{path}`", file.path)));
    }
    check(
        "a machine has no I/O, clock, thread, entropy or random order: tell it by an event",
        &findings,
    );
}

#[test]
fn every_test_bench_and_example_is_listed() {
    let map =
        text("ARCHITECTURE.md").expect("ARCHITECTURE.md: write it, with a table under `## Tests`");
    let map = format!("\n{map}");
    let listed = map
        .split("\n## ")
        .find(|part| part.starts_with("Tests"))
        .unwrap_or_default();
    let mut findings = Vec::new();
    for path in files().into_iter().map(|file| file.path) {
        let parts: Vec<&str> = path.rsplit('/').collect();
        let (name, folder) = (parts[0], parts.get(1).copied().unwrap_or_default());
        let program = parts.len() <= 3 && name.ends_with(".rs");
        let counts = (matches!(folder, "tests" | "benches") && program)
            || (folder == "examples" && parts.len() == 2);
        // Behind a source folder, `tests` is a module of that room, not a program.
        let in_module = path.contains("/src/") || path.starts_with("src/");
        if counts && !in_module && !listed.contains(&path) {
            findings.push(format!("{path}: not in ARCHITECTURE.md under `## Tests`"));
        }
    }
    let named = listed
        .split(['`', '|', ' ', '\n', '(', ')'])
        .filter(|word| {
            ["tests/", "benches/", "examples/"]
                .iter()
                .any(|p| word.starts_with(p))
                && word.contains('.')
        });
    let gone = named.filter(|word| !tree::root().join(word).exists());
    findings
        .extend(gone.map(|word| format!("ARCHITECTURE.md: lists `{word}`, which is not there")));
    check(
        "list each by its path with what it proves: nobody runs a test that nobody knows",
        &findings,
    );
}

#[test]
fn every_behaviour_has_its_tests() {
    let mut findings = Vec::new();
    let map = text("ARCHITECTURE.md").unwrap_or_default();
    for page in ["docs/behaviours.md", "docs/backpressure.md"] {
        proofs_are_there(page, &mut findings);
        if !map.contains(page) {
            findings.push(format!("ARCHITECTURE.md: does not lead to {page}"));
        }
    }
    check(
        "a behaviour is proved by a test that exists: name it as it is called now",
        &findings,
    );
}

/// What the last column of a table names as a file and its tests.
fn proofs_are_there(path: &str, findings: &mut Vec<String>) {
    let page = text(path).expect("a page with a table of behaviours");
    for (number, row) in (1..).zip(page.lines()).filter(|(_, l)| l.starts_with('|')) {
        let proofs = row.trim_end_matches('|').rsplit('|').next();
        let mut source = String::new();
        // A file, then its tests. A program without a harness has their names as texts.
        for name in proofs.unwrap_or_default().split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                source = text(name).unwrap_or_default();
            } else if !source.is_empty()
                && !source.contains(&format!("fn {name}("))
                && !source.contains(&format!("\"{name}\""))
            {
                findings.push(format!("{path}:{number}: no `{name}` there"));
            } else if source.is_empty() && path == "docs/behaviours.md" {
                findings.push(format!("{path}:{number}: `{name}` is in no file"));
            }
        }
    }
}

#[test]
fn the_changelog_names_this_version() {
    let manifest = text("Cargo.toml").unwrap_or_default();
    let package = manifest
        .split("[workspace.package]")
        .nth(1)
        .unwrap_or_default();
    let line = package
        .lines()
        .find(|line| line.trim_start().starts_with("version"))
        .unwrap_or_default();
    let version = line
        .split('"')
        .nth(1)
        .expect("Cargo.toml: `version` under [workspace.package]");
    let changes = text("CHANGELOG.md").unwrap_or_default();
    let heading = changes.lines().any(|line| {
        line.strip_prefix("## ")
            .is_some_and(|rest| rest.split(' ').next() == Some(version))
    });
    assert!(
        heading,
        "CHANGELOG.md: add `## {version}` and say what changed for a user"
    );
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let homes = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/tm", "p/h-"),
    ];
    let mut findings = Vec::new();
    for file in files() {
        for (number, line) in (1..).zip(file.text.lines()) {
            let home = homes.iter().find(|home| starts_word(line, home));
            findings.extend(home.map(|home| format!("{}:{number}: `{home}`", file.path)));
        }
    }
    check(
        "a path of one machine is wrong on the next: make it relative or a setting",
        &findings,
    );
}

#[test]
fn the_readme_has_its_two_commands() {
    let readme = text("README.md").expect("README.md: write it");
    let commands = [
        "cargo run --release -- run --workers 8 examples/tasks.json",
        "cargo test --workspace",
    ];
    let missing = commands
        .iter()
        .filter(|command| !readme.contains(**command));
    let findings: Vec<String> = missing
        .map(|command| format!("README.md: `{command}`"))
        .collect();
    check(
        "a new user finds both commands in the README, letter by letter",
        &findings,
    );
}
