//! Somebody at work in a folder, for those who have none at hand: saves often, makes mistakes, corrects them.

use std::path::Path;
use std::time::Duration;
use std::{fs, io, thread};

/// How often somebody saves who is at work on a file, and how long it takes to see a mistake.
const SAVE: Duration = Duration::from_millis(60);
const LOOK: Duration = Duration::from_millis(600);

/// So long that the compiler has something to do.
const FUNCTIONS: u32 = 40_000;

/// Where.
pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/watcher");

pub(crate) fn work() -> io::Result<()> {
    let save = |name: &str, text: &str| fs::write(Path::new(FOLDER).join(name), text);
    save("menu.json", "{\"soup\": 3, \"bread\": 1}\n")?;
    save("greet.sh", "echo hello\n")?;
    for saved in 1..=12 {
        let functions =
            (0..FUNCTIONS).map(|n| format!("int f{n}(int x) {{ return x * {n} + {saved}; }}\n"));
        save("many.c", &functions.collect::<String>())?;
        thread::sleep(SAVE);
    }
    save("greet.sh", "if true; then echo hello\n")?;
    save("table.json", "[1, 2,, 3]\n")?;
    fs::remove_file(Path::new(FOLDER).join("menu.json"))?;
    thread::sleep(LOOK);
    save("greet.sh", "if true; then echo hello; fi\n")?;
    save("table.json", "[1, 2, 3]\n")
}
