//! Tokens of kinds are read as they are written, and nothing else is.

use super::{SimToken, SimTokenError};
use crate::params::Faults;
use crate::token::Build;

fn token() -> SimToken {
    SimToken {
        kind: "a.kind".into(),
        strategy: "pct:3".parse().unwrap(),
        seed: u64::MAX,
        number: 17,
        tasks: 20,
        workers: 3,
        faults: Faults::Stock,
        build: Build(0xabc),
    }
}

#[test]
fn a_token_is_read_as_it_is_written() {
    let text = token().to_string();
    assert_eq!(
        text,
        "sk1.a.kind.pct:3.18446744073709551615.17.t20w3fk.00000abc"
    );
    assert_eq!(text.parse(), Ok(token()));
}

#[test]
fn what_is_no_token_is_told_so() {
    for (text, wrong) in [
        ("lk1.pool.random.1.0.-.00000000", "form"),
        ("sk1.kind.1.2", "form"),
        ("sk1.k.mine.1.2.t1w1fk.00000000", "`mine` is not a strategy"),
        ("sk1.k.urw.x.2.t1w1fk.00000000", "seed `x`"),
        ("sk1.k.urw.1.9999999999.t1w1fk.00000000", "number"),
        ("sk1.k.urw.1.2.t1w0fk.00000000", "sizes"),
        ("sk1.k.urw.1.2.t1w1fkk.00000000", "sizes"),
        ("sk1.k.urw.1.2.t1w1fk.yes", "build `yes`"),
    ] {
        let error: SimTokenError = text.parse::<SimToken>().unwrap_err();
        assert!(error.to_string().contains(wrong), "{text}: {error}");
    }
}
