//! The example of the README, run on this repository's own sources.

use crate::stage::{Stage, has};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

#[test]
fn the_example_runs() {
    let programs = ["gzip", "sha256sum", "sort", "find", "awk"];
    if !programs.into_iter().all(has) {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let stage = Stage::new();
    // Beside the sources and not among them: a run of the README's own may be writing there.
    for entry in fs::read_dir(root).expect("the repository").flatten() {
        let name = entry.file_name();
        if name != "target" && name != "examples" {
            symlink(entry.path(), stage.path(".").join(name)).expect("ours");
        }
    }
    fs::create_dir(stage.path("examples")).expect("ours");
    let example = stage.path("examples/tasks.json");
    fs::copy(root.join("examples/tasks.json"), example).expect("the example is there");
    let ended = stage.run(&[
        "--workers",
        "8",
        "examples/tasks.json",
        "--results",
        "results",
    ]);
    let ended = ended.exits(0);
    assert!(ended.results.len() > 8 && !ended.stdout.is_empty());
    assert!(ended.results.iter().all(|result| result["status"] == "ok"));
}
