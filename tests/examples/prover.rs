//! The example `prover` with real solvers: all its goals, what runs again, who is killed, what is left.

use crate::stage::{Ended, LIMIT, Running, Stage, has};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::time::Instant;

/// How many solvers and workers are killed in a run.
const KILLS: usize = 24;

fn start<'a>(stage: &'a Stage, path: Option<&str>) -> Running<'a> {
    // Examples are built beside the tests' folder.
    let own = std::env::current_exe().expect("Linux");
    let built = own.parent().and_then(Path::parent);
    let example = built.expect("target/debug/deps").join("examples/prover");
    assert!(
        example.exists(),
        "build it first: cargo build --example prover"
    );
    let mut command = stage.marked(example.to_str().expect("UTF-8"));
    let path = path.map_or_else(|| std::env::var("PATH").expect("a path"), str::to_owned);
    stage.start_command(command.args(["goals", "cache"]).env("PATH", path))
}

fn prove(stage: &Stage) -> Ended {
    let ended = start(stage, None).end();
    stage.all_gone_within(LIMIT);
    ended
}

fn both_solvers() -> bool {
    has("z3") && has("cvc5")
}

/// A stage with the example's goals whose names `choose`, and the prelude.
fn with_goals(choose: impl Fn(&str) -> bool) -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("goals")).expect("our own folder");
    let goals = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/prover/goals");
    for file in goals.read_dir().expect("the example's goals").flatten() {
        let name = file.file_name().into_string().expect("text");
        if name == "prelude.smt2" || choose(&name) {
            let text = fs::read_to_string(file.path()).expect("text");
            stage.write(&format!("goals/{name}"), text);
        }
    }
    stage
}

/// The table that the goals' files expect, with why each was run.
fn table(stage: &Stage, why: impl Fn(&str) -> &'static str) -> Vec<String> {
    let mut rows = Vec::new();
    for file in stage.path("goals").read_dir().expect("goals").flatten() {
        let name = file.file_name().into_string().expect("text");
        let name = name.trim_end_matches(".smt2");
        let text = fs::read_to_string(file.path()).expect("text");
        let expect = text
            .lines()
            .find_map(|line| line.strip_prefix("; expect: "));
        if let Some(expect) = expect {
            let (verdict, detail) = expect.split_once(' ').unwrap_or((expect, ""));
            let row = format!("{verdict:<9}{name:<50}{:<20}{detail}", why(name));
            rows.push((name.to_owned(), row.trim_end().to_owned()));
        }
    }
    rows.sort();
    rows.into_iter().map(|(_, row)| row).collect()
}

#[track_caller]
fn has_table(ended: Ended, expected: &[String]) {
    let text = ended.text();
    let found: Vec<_> = text.lines().take(expected.len()).collect();
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{text}{}", ended.stderr);
    }
    let count = format!("{} goals, 0 not as expected: ", expected.len());
    assert!(
        text.lines()
            .last()
            .is_some_and(|line| line.starts_with(&count)),
        "{text}"
    );
    ended.exits(0);
}

#[test]
fn every_goal_comes_out_as_expected_and_runs_again_only_when_something_changed() {
    if !both_solvers() {
        return;
    }
    let stage = with_goals(|_| true);
    let expected = table(&stage, |_| "new");
    assert!(expected.len() > 60);
    has_table(prove(&stage), &expected);
    has_table(prove(&stage), &table(&stage, |_| "unchanged"));

    // A goal, a lemma that two use, and a goal that was not there.
    let edit = |name: &str, text: &dyn Fn(String) -> String| {
        let name = format!("goals/{name}.smt2");
        let before = stage.read(&name);
        stage.write(&name, text(before));
    };
    edit("de-morgan-for-words", &|text| text + "; a remark\n");
    edit("lattice-join-commutes", &|text| {
        format!("; a remark\n{text}")
    });
    edit("another", &|_| {
        "; expect: proved\n(assert false)\n(check-sat)\n".to_owned()
    });
    let why = |name: &str| match name {
        "another" => "new",
        "de-morgan-for-words" | "lattice-join-commutes" => "goal changed",
        "lattice-joins-of-four-in-any-order" | "lattice-joins-grow-on-both-sides" => {
            "lattice-join-commutes changed"
        }
        _ => "unchanged",
    };
    has_table(prove(&stage), &table(&stage, why));
}

/// Numbers that look drawn, from a seed (xorshift).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("it was one")
    }
}

/// The solvers, or the workers, that run now. Before there is a solver it is nobody: solvers are asked for their versions
/// first, and who is killed at that is no victim that the table should bear.
fn victims(stage: &Stage, running: &Running<'_>, solvers: bool) -> Vec<i32> {
    let mut all = stage.processes();
    all.retain(|(_, line)| line.starts_with("z3 -in") || line.starts_with("cvc5 --incremental"));
    match solvers {
        false if !all.is_empty() => running.workers(),
        true | false => all.into_iter().map(|(pid, _)| pid).collect(),
    }
}

#[test]
fn killed_solvers_and_workers_change_nothing_in_the_table() {
    if !both_solvers() {
        return;
    }
    let stage = with_goals(|_| true);
    let expected = table(&stage, |_| "new");
    let mut draw = Draw(0x5eed_1234_abcd);
    let running = start(&stage, None);
    let deadline = Instant::now() + LIMIT;
    let (mut seen, mut wait, mut killed) = (0, 0, (0, 0));
    while killed.0 + killed.1 < KILLS {
        // The next one dies when so many more goals have their verdicts.
        let ended = stage.read("cache").matches("\"verdict\"").count();
        if ended == expected.len() {
            break;
        }
        assert!(Instant::now() < deadline, "{ended} goals have ended");
        if ended < seen + wait {
            std::thread::yield_now();
            continue;
        }
        // Every third one is a worker.
        let solver = (killed.0 + killed.1) % 3 > 0;
        let victims = victims(&stage, &running, solver);
        if victims.is_empty() {
            continue;
        }
        let victim = Pid::from_raw(victims[draw.below(victims.len())]);
        // It may have ended since.
        let _ended = kill_process(victim.expect("a pid"), Signal::KILL);
        *(if solver { &mut killed.0 } else { &mut killed.1 }) += 1;
        (seen, wait) = (ended, 1 + draw.below(4));
    }
    let ended = running.end();
    stage.all_gone_within(LIMIT);
    has_table(ended, &expected);
    assert!(killed.0 > 1 && killed.1 > 1, "{killed:?}");
}

#[test]
fn what_does_not_hold_is_explained_and_what_needs_it_is_not_run() {
    if !both_solvers() {
        return;
    }
    let stage = with_goals(|_| false);
    let write = |name: &str, text: &str| stage.write(&format!("goals/{name}.smt2"), text);
    write(
        "false",
        "; expect: proved\n; show: x\n(define-fun false-lemma () Bool false)\n(declare-const x Int)\n\
         (assert (= x 7))\n(check-sat)\n",
    );
    write(
        "model",
        "; expect: proved\n(declare-const n Int)\n(assert (= n 8))\n(check-sat)\n",
    );
    write("later", "; expect: proved\n; uses: false\n(check-sat)\n");
    write("nowhere", "; expect: proved\n; uses: absent\n(check-sat)\n");
    write(
        "typo",
        "; expect: proved\n(assert (no-such x))\n(check-sat)\n",
    );
    write(
        "end",
        "; expect: proved\n(echo \"farewell\")\n(exit)\n(check-sat)\n",
    );
    let ended = prove(&stage).exits(1);
    let text = ended.text();
    let row = |verdict: &str, name: &str, more: &str| {
        let row = format!("{verdict:<9}{name:<50}{more}");
        let expected = "         but expected: proved";
        let mut lines = text
            .lines()
            .skip_while(|line| !line.starts_with(row.trim_end()));
        assert!(
            lines.next().is_some() && lines.next() == Some(expected),
            "{row}: {text}"
        );
    };
    row("refuted", "false", "new                 ((x 7))");
    row(
        "crashed",
        "end",
        "new                 exited with code 0: \"farewell\"",
    );
    row("refuted", "model", "new                 ");
    assert!(text.contains("(define-fun n () Int 8)"), "{text}");
    row("skipped", "later", "");
    row("skipped", "nowhere", "");
    row("unknown", "typo", "new                 (error ");
    assert!(text.contains("6 goals, 6 not as expected: "), "{text}");
}

#[test]
fn an_interrupt_leaves_no_solver() {
    if !both_solvers() {
        return;
    }
    let stage = with_goals(|name| name.starts_with("endless"));
    let name = "goals/endless-no-fourth-power-is-a-sum-of-two.smt2";
    stage.write(
        name,
        stage
            .read(name)
            .replace("; seconds: 1\n", "; seconds: 600\n"),
    );
    let running = start(&stage, None);
    let deadline = Instant::now() + LIMIT;
    let runs = |name: &str| {
        stage
            .processes()
            .iter()
            .any(|(_, line)| line.starts_with(name))
    };
    while !(runs("z3 -in") && runs("cvc5 --incremental")) {
        assert!(Instant::now() < deadline, "no solver begins");
        std::thread::yield_now();
    }
    running.signal(Signal::INT);
    running.end().dies_of(Signal::INT);
    stage.all_gone_within(LIMIT);
}

#[test]
fn a_folder_without_goals_and_a_cache_that_cannot_be_written_are_clear_errors() {
    if !both_solvers() {
        return;
    }
    let stage = with_goals(|_| false);
    fs::create_dir(stage.path("cache")).expect("our own folder");
    prove(&stage).exits(2).says("prover: cache: ");
    fs::remove_file(stage.path("goals/prelude.smt2")).expect("it is there");
    prove(&stage).exits(2).says("it has no prelude.smt2");
}

#[test]
fn an_absent_solver_is_one_clear_error() {
    let stage = with_goals(|_| false);
    let ended = start(&stage, Some("/nowhere")).end().exits(2);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    ended
        .says("prover: cannot run `z3`: ")
        .says("install z3 and cvc5");
}
