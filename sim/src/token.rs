//! A run in at most 80 characters: what is printed when it fails, and read when it is to be made again.
//!
//! `lk1.<scenario>.<strategy>.<seed>.<number>.<parameters>.<build>`, numbers in decimal; where that would be too long,
//! `lz1` and the same with numbers in base 36 and capital letters for the parameters. Of the parameters there are only
//! those that are not the scenario's own; `-` when there is none. It does not know how a run is made.

use crate::params::{Faults, Params, SIZE_MAX};
use crate::scenario::{Scenario, scenario, scenarios};
use crate::sweep::Sweep;
use farm_lockstep::{Spec, SpecError};
use farm_master::{Mutation, UnknownMutation};
use std::fmt;
use std::str::FromStr;

/// No token is longer, in characters.
pub const TOKEN_MAX: usize = 80;

/// The most schedules of a sweep: a token must hold the number of each.
pub const SCHEDULES_MAX: u64 = 1_000_000_000;

/// The largest step limit: a token must hold it.
pub const STEPS_MAX: u32 = 1_000_000_000;

/// The build that this is: a hash of the sources that decide how a schedule goes.
pub const BUILD: Build = match u32::from_str_radix(env!("FARM_SIM_BUILD"), 16) {
    Ok(hash) => Build(hash),
    Err(_) => panic!("the build script writes eight hexadecimal digits"),
};

/// A build, written as eight hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Build(pub u32);

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// One run of one sweep. What it writes with `Display` it reads with `FromStr`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Token {
    /// Of what.
    pub scenario: Scenario,
    /// With what.
    pub params: Params,
    /// Who chose.
    pub spec: Spec,
    /// The seed of its sweep.
    pub seed: u64,
    /// Which run of the sweep, below [`SCHEDULES_MAX`].
    pub number: u64,
    /// The build that wrote it.
    pub build: Build,
}

impl Token {
    /// The token of a run of this sweep by this build.
    #[must_use]
    pub const fn of(sweep: &Sweep, number: u64) -> Self {
        Self {
            scenario: sweep.scenario,
            params: sweep.params,
            spec: sweep.spec,
            seed: sweep.seed,
            number,
            build: BUILD,
        }
    }

    /// A sweep that has the run.
    #[must_use]
    pub const fn sweep(&self) -> Sweep {
        Sweep {
            scenario: self.scenario,
            params: self.params,
            spec: self.spec,
            seed: self.seed,
            schedules: self.number + 1,
            jobs: 1,
            limit: None,
        }
    }

    fn written(&self, form: Form) -> String {
        let number = |number: u64| form.number(number);
        format!(
            "{}.{}.{}.{}.{}.{}.{}",
            form.mark(),
            self.scenario.name,
            self.spec,
            number(self.seed),
            number(self.number),
            form.params(&self.params, &self.scenario.defaults),
            self.build,
        )
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = self.written(Form::Decimal);
        if decimal.len() <= TOKEN_MAX {
            f.write_str(&decimal)
        } else {
            f.write_str(&self.written(Form::Short))
        }
    }
}

/// The keys of the parameters, in the order in which they are written.
const KEYS: &str = "twfms";

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// In decimal; letters are keys.
    Decimal,
    /// In base 36; capital letters are keys.
    Short,
}

impl Form {
    const fn mark(self) -> &'static str {
        match self {
            Self::Decimal => "lk1",
            Self::Short => "lz1",
        }
    }

    const fn radix(self) -> u32 {
        match self {
            Self::Decimal => 10,
            Self::Short => 36,
        }
    }

    const fn key(self, key: char) -> char {
        match self {
            Self::Decimal => key,
            Self::Short => key.to_ascii_uppercase(),
        }
    }

    fn number(self, mut number: u64) -> String {
        let radix = u64::from(self.radix());
        let mut digits = Vec::new();
        loop {
            let digit = u32::try_from(number % radix).expect("below the radix");
            digits.push(char::from_digit(digit, self.radix()).expect("below the radix"));
            number /= radix;
            if number == 0 {
                return digits.into_iter().rev().collect();
            }
        }
    }

    fn params(self, params: &Params, defaults: &Params) -> String {
        let mut out = String::new();
        let mut put = |key, value: &str| {
            out.push(self.key(key));
            out.push_str(value);
        };
        let number = |number: u32| self.number(u64::from(number));
        if params.tasks != defaults.tasks {
            put('t', &number(params.tasks));
        }
        if params.workers != defaults.workers {
            put('w', &number(params.workers));
        }
        if params.faults != defaults.faults {
            put('f', letter(params.faults));
        }
        if params.mutation != defaults.mutation {
            put('m', mutation_id(params.mutation));
        }
        if params.max_steps != defaults.max_steps {
            put('s', &number(params.max_steps));
        }
        if out.is_empty() { "-".into() } else { out }
    }

    fn read_number(self, text: &str) -> Option<u64> {
        let digits = |c: char| c.is_digit(self.radix()) && !c.is_ascii_uppercase();
        // `from_str_radix` alone would take a sign.
        let read = text.chars().all(digits).then_some(text)?;
        u64::from_str_radix(read, self.radix()).ok()
    }

    /// Splits a key and its value off: the value is one character and what of digits follows.
    fn split(self, text: &str) -> (char, &str, &str) {
        let mut chars = text.char_indices();
        let key = chars.next().map_or(' ', |(_, key)| key);
        let from = chars.next().map_or(text.len(), |(at, _)| at);
        let end = chars
            .find(|(_, c)| !c.is_digit(self.radix()) || c.is_ascii_uppercase())
            .map_or(text.len(), |(at, _)| at);
        (key, &text[from..end], &text[end..])
    }
}

const fn letter(faults: Faults) -> &'static str {
    match faults {
        Faults::None => "n",
        Faults::Stock => "k",
        Faults::Swarm => "s",
    }
}

/// Why a text is no token, or not one that this build can follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Something else altogether.
    #[error("a token begins with `lk1.` or `lz1.`, and is at most {TOKEN_MAX} characters long")]
    Foreign,
    /// The wrong number of parts.
    #[error(
        "it has {0} parts between its points; a token has seven: \
         mark, scenario, strategy, seed, number, parameters, build"
    )]
    Parts(usize),
    /// The second part.
    #[error("there is no scenario `{text}`; there are {}", names())]
    Scenario {
        /// What stands there.
        text: String,
    },
    /// The third part.
    #[error(transparent)]
    Strategy(#[from] SpecError),
    /// The fourth or fifth part.
    #[error("the {part} `{text}` is no number, or too large: {part}s are from 0 to {most}")]
    Number {
        /// `seed` or `number`.
        part: &'static str,
        /// What stands there.
        text: String,
        /// The largest there is.
        most: u64,
    },
    /// The sixth part.
    #[error("the parameter `{text}` is not understood: {why}")]
    Parameter {
        /// A key and its value.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The seventh part.
    #[error("the build `{text}` is not eight hexadecimal digits")]
    Build {
        /// What stands there.
        text: String,
    },
}

fn names() -> String {
    scenarios().map(|scenario| scenario.name).join(", ")
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let parts: Vec<&str> = text.split('.').collect();
        let form = [Form::Decimal, Form::Short]
            .into_iter()
            .find(|form| form.mark() == parts[0])
            .filter(|_| text.len() <= TOKEN_MAX)
            .ok_or(TokenError::Foreign)?;
        let [_, name, spec, seed, number, params, build] = parts[..] else {
            return Err(TokenError::Parts(parts.len()));
        };
        let scenario = scenario(name).ok_or_else(|| TokenError::Scenario { text: name.into() })?;
        let read = |part, text: &str, most| {
            let number = form.read_number(text).filter(|number| *number <= most);
            number.ok_or_else(|| TokenError::Number {
                part,
                text: text.into(),
                most,
            })
        };
        let hash = Some(build)
            .filter(|text| text.len() == 8 && text.bytes().all(|c| c.is_ascii_hexdigit()))
            .and_then(|text| u32::from_str_radix(text, 16).ok())
            .ok_or_else(|| TokenError::Build { text: build.into() })?;
        Ok(Self {
            scenario,
            params: read_params(form, params, scenario.defaults)?,
            spec: spec.parse()?,
            seed: read("seed", seed, u64::MAX)?,
            number: read("number", number, SCHEDULES_MAX - 1)?,
            build: Build(hash),
        })
    }
}

fn read_params(form: Form, text: &str, mut params: Params) -> Result<Params, TokenError> {
    let mut rest = if text == "-" { "" } else { text };
    if text.is_empty() {
        return Err(TokenError::Parameter {
            text: String::new(),
            why: "where none differs there is a `-`".into(),
        });
    }
    let mut open = KEYS;
    while !rest.is_empty() {
        let (key, value, after) = form.split(rest);
        let wrong = |why: String| TokenError::Parameter {
            text: format!("{key}{value}"),
            why,
        };
        let place = open.find(|plain| form.key(plain) == key).ok_or_else(|| {
            let keys: Vec<String> = KEYS.chars().map(|c| form.key(c).to_string()).collect();
            let keys = keys.join(", ");
            wrong(format!(
                "expected one of {keys}, each at most once and in this order"
            ))
        })?;
        let number = |most: u32| {
            form.read_number(value)
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| (1..=most).contains(number))
                .ok_or_else(|| wrong(format!("expected a number from 1 to {most}")))
        };
        match &open[place..=place] {
            "t" => params.tasks = number(SIZE_MAX)?,
            "w" => params.workers = number(SIZE_MAX)?,
            "f" => {
                params.faults = [Faults::None, Faults::Stock, Faults::Swarm]
                    .into_iter()
                    .find(|faults| letter(*faults) == value)
                    .ok_or_else(|| wrong("expected n (none), k (stock) or s (swarm)".into()))?;
            }
            "m" => params.mutation = mutation_place(value).map_err(wrong)?,
            _ => params.max_steps = number(STEPS_MAX)?,
        }
        open = &open[place + 1..];
        rest = after;
    }
    Ok(params)
}

/// The id of a seeded bug by its place.
fn mutation_id(place: u8) -> &'static str {
    let place = usize::from(place).checked_sub(1);
    place
        .and_then(|place| Mutation::ALL.get(place))
        .map_or("0", |mutation| mutation.id())
}

fn mutation_place(id: &str) -> Result<u8, String> {
    let mutation: Mutation = id
        .parse()
        .map_err(|error: UnknownMutation| error.to_string())?;
    if cfg!(feature = "mutation") {
        Ok(mutation as u8 + 1)
    } else {
        Err("this build has no seeded bugs; build with `--features mutation`".into())
    }
}

#[cfg(test)]
mod tests;
