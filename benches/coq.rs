//! How long a Coq development takes on two workers, beside `coqc` in a loop and beside make with two jobs.
//!
//! The example `coq` is in this program: started with a certain variable it is that tool, so that nothing but this bench
//! has to be built. The farm copies the files and asks `coqdep` within its time; so does the bare makefile ask, and the one
//! of `coq_makefile` does by itself.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

#[path = "../examples/coq/main.rs"]
mod tool;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

type Answer<T> = Result<T, Box<dyn Error>>;

/// With this variable this program is the example.
const AS_TOOL: &str = "FARM_BENCH_AS_TOOL";

/// A part of the work, for a run that only shows that nothing is far beyond its limit: each with what it needs.
const FEW: [&str; 11] = [
    "Base",
    "Nats",
    "Maps",
    "Expr",
    "Conditions",
    "Programs",
    "Interpreter",
    "SmallStep",
    "Terms",
    "Typing",
    "TypeCheck",
];

/// How strictly is judged, and by how many pairs.
#[derive(Clone, Copy)]
struct Scale {
    few: bool,
    rounds: usize,
    /// Widens every limit: one pair of short runs is no figure.
    tolerance: f64,
}

/// What the farm is measured against, and how many times its time the farm may take.
struct Yardstick {
    name: &'static str,
    limit: f64,
    /// A line of shell in a folder of its own.
    line: &'static str,
}

const YARDSTICKS: [Yardstick; 3] = [
    Yardstick {
        name: "coqc, a loop",
        limit: 0.80,
        line: "for f in $(cat order); do coqc -Q theories Orchard $f || exit 1; done",
    },
    Yardstick {
        name: "make -j2, bare",
        limit: 1.10,
        line: "coqdep -Q theories Orchard $(cat order) >needs && make -s -j2 -f bare.mk",
    },
    Yardstick {
        name: "coq_makefile -j2",
        limit: 1.05,
        line: "make -s -j2 -f Makefile",
    },
];

const BARE: &str = "include needs\nall: $(patsubst %.v,%.vo,$(shell cat order))\n.DEFAULT_GOAL = all\n\
                    %.vo: %.v\n\t@coqc -Q theories Orchard $<\n";

fn main() -> Answer<ExitCode> {
    if std::env::var_os(AS_TOOL).is_some() {
        return Ok(tool::main());
    }
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let scale = Scale {
        few: smoke,
        rounds: if smoke { 1 } else { 3 },
        tolerance: if smoke { 2.0 } else { 1.0 },
    };
    for program in ["coqc", "make"] {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        if !std::env::split_paths(&paths).any(|folder| folder.join(program).is_file()) {
            if std::env::var_os("FARM_REQUIRE_PROGRAMS").is_some() {
                return Err(format!("`{program}` is missing, FARM_REQUIRE_PROGRAMS is set").into());
            }
            println!("skipped: `{program}` is not installed");
            return Ok(ExitCode::SUCCESS);
        }
    }
    let place = Place::new(scale)?;
    println!(
        "{} files, 2 workers; median of {} pairs",
        place.files, scale.rounds
    );
    println!(
        "{:<18} {:>9} {:>11} {:>7} {:>6}",
        "yardstick", "farm", "yardstick", "ratio", "limit"
    );
    let mut kept = true;
    for yardstick in &YARDSTICKS {
        kept &= judge(&place, scale, yardstick)?;
    }
    Ok(ExitCode::from(u8::from(!kept)))
}

/// Measures in pairs, in alternating order; whether the limit was kept.
fn judge(place: &Place, scale: Scale, yardstick: &Yardstick) -> Answer<bool> {
    let (mut farms, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..scale.rounds {
        let first = if round % 2 == 0 {
            Some(place.farm()?)
        } else {
            None
        };
        let other = place.other(yardstick)?;
        let farm = first.map_or_else(|| place.farm(), Ok)?;
        ratios.push(farm / other);
        farms.push(farm);
        others.push(other);
    }
    let (farm, other, ratio) = (median(farms), median(others), median(ratios));
    let limit = yardstick.limit * scale.tolerance;
    let mark = if ratio <= limit {
        ""
    } else {
        "  BEYOND THE LIMIT"
    };
    let name = yardstick.name;
    println!("{name:<18} {farm:>7.2} s {other:>9.2} s {ratio:>7.3} {limit:>6.2}{mark}");
    Ok(ratio <= limit)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A folder under the build folder, gone at the end.
struct Place {
    folder: PathBuf,
    files: usize,
}

impl Place {
    fn new(scale: Scale) -> Answer<Self> {
        let name = format!("coq-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut place = Self { folder, files: 0 };
        let root = place.folder.join("root");
        fs::create_dir_all(root.join("theories"))?;
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/coq");
        for entry in fs::read_dir(from.join("theories"))? {
            let name = entry?.file_name();
            let stem = Path::new(&name).file_stem().unwrap_or_default();
            if !scale.few || FEW.iter().any(|few| stem == *few) {
                fs::copy(
                    from.join("theories").join(&name),
                    root.join("theories").join(&name),
                )?;
            }
        }
        fs::copy(from.join("_CoqProject"), root.join("_CoqProject"))?;
        fs::write(root.join("bare.mk"), BARE)?;
        let prepare = "coqdep -sort -Q theories Orchard theories/*.v >order && \
                       coq_makefile -Q theories Orchard theories/*.v -o Makefile";
        shell(prepare, &root)?;
        let order = fs::read_to_string(root.join("order"))?;
        place.files = order.split_whitespace().count();
        Ok(place)
    }

    fn farm(&self) -> Answer<f64> {
        let mut command = Command::new(std::env::current_exe()?);
        command.env(AS_TOOL, "1").args(["--workers", "2", "--root"]);
        timed(command.arg(self.folder.join("root")))
    }

    fn other(&self, yardstick: &Yardstick) -> Answer<f64> {
        shell("rm -rf run && cp -r root run", &self.folder)?;
        shell(yardstick.line, &self.folder.join("run"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What stays behind is only disk space in the build folder, and the next `cargo clean` takes it.
        let _left = fs::remove_dir_all(&self.folder);
    }
}

fn shell(line: &str, folder: &Path) -> Answer<f64> {
    timed(Command::new("sh").args(["-c", line]).current_dir(folder))
}

/// Wall time of one run in seconds; an error with its last words when it fails.
fn timed(command: &mut Command) -> Answer<f64> {
    // A jobserver above us would lend or withhold tokens.
    for name in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CARGO_MAKEFLAGS"] {
        command.env_remove(name);
    }
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let begun = Instant::now();
    let output = command.stderr(Stdio::piped()).output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}: {words}", output.status).into());
    }
    Ok(begun.elapsed().as_secs_f64())
}
