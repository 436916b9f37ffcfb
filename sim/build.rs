//! Computes the build id that stands in tokens: a hash of the sources that decide how a schedule goes.
//!
//! It depends on the contents and relative paths of those sources alone, so that two builds of the same sources have
//! the same id wherever they were made.

use std::fs;
use std::path::{Path, PathBuf};

/// What decides how a schedule goes, relative to the repository.
const SOURCES: [&str; 6] = [
    "lockstep/src",
    "sim/src",
    "master/src",
    "worker/src/session",
    "worker/src/session.rs",
    "protocol/src",
];

/// FNV-1a, 64 bits.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

fn main() {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let here = PathBuf::from(here);
    let repository = here.parent().expect("the room is in the repository");
    let mut files = Vec::new();
    for source in SOURCES {
        // A packaged room stands alone: what is not there is part of its version instead.
        let path = repository.join(source);
        if path.exists() {
            println!("cargo:rerun-if-changed={}", path.display());
            collect(&path, source, &mut files);
        }
    }
    files.sort();
    let mut hash = BASIS;
    for (name, path) in &files {
        let text = fs::read(path).expect("a source that was just listed");
        // Lengths too: nothing may move from one file to the next unnoticed.
        let length = (text.len() as u64).to_le_bytes();
        for byte in name.bytes().chain(length).chain(text) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    let folded = (hash >> 32) as u32 ^ hash as u32;
    println!("cargo:rustc-env=FARM_SIM_BUILD={folded:08x}");
}

/// Every source below `path` but tests, with its name relative to the repository.
fn collect(path: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) {
    if path.is_file() {
        if name.ends_with(".rs") && !name.ends_with("/tests.rs") {
            files.push((name.to_owned(), path.to_owned()));
        }
        return;
    }
    for entry in fs::read_dir(path).expect("a folder of sources") {
        let entry = entry.expect("a folder of sources");
        let child = entry.file_name();
        let child = child.to_str().expect("our own names are text");
        if child != "tests" {
            collect(&entry.path(), &format!("{name}/{child}"), files);
        }
    }
}
