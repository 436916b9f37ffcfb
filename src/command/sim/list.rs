//! `farm sim --list`: what can be swept, and how.

use farm_lockstep::Spec;
use farm_master::Mutation;
use farm_sim::{Faults, scenarios};
use std::io::{self, Write};

fn strategies() -> [(String, &'static str); 5] {
    [
        (
            Spec::Portfolio.to_string(),
            "by turns urw, pct:3, random, and random with faults drawn anew",
        ),
        (
            Spec::Urw.to_string(),
            "who has more steps to come goes more often; few steps beside many are spread evenly",
        ),
        (
            format!("pct:1 to pct:{}", Spec::DEPTH_MAX),
            "priorities that change D − 1 times",
        ),
        (Spec::Random.to_string(), "everybody equally often"),
        (
            Spec::Swarm.to_string(),
            "as random, and each schedule draws its own faults and sizes",
        ),
    ]
}

pub(super) fn list(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "scenarios (defaults of --tasks, --workers, --faults, --max-steps):"
    )?;
    for scenario in scenarios() {
        let params = scenario.defaults;
        let faults = match params.faults {
            Faults::None => "none",
            Faults::Stock => "stock",
            Faults::Swarm => "swarm",
        };
        writeln!(
            out,
            "  {:<14} {} tasks, {} workers, {faults} faults, {} steps\n  {:<14} {}",
            scenario.name, params.tasks, params.workers, params.max_steps, "", scenario.about
        )?;
    }
    writeln!(out, "strategies:")?;
    for (name, about) in strategies() {
        writeln!(out, "  {name:<14} {about}")?;
    }
    let mutations: Vec<&str> = match cfg!(feature = "mutation") {
        true => Mutation::ALL.map(Mutation::id).to_vec(),
        false => Vec::new(),
    };
    if mutations.is_empty() {
        writeln!(out, "seeded bugs: none in this build")?;
    } else {
        writeln!(out, "seeded bugs: {}", mutations.join(" "))?;
    }
    let line = serde_json::json!({
        "scenarios": scenarios().map(|scenario| scenario.name),
        "strategies": strategies().map(|(name, _)| name),
        "mutations": mutations,
    });
    writeln!(out, "{line}")
}
