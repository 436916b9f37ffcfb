//! Tokens are read as they are written, fit into their length whatever they hold, and say what is wrong with them.

use super::*;

fn token(scenario: Scenario) -> Token {
    Token {
        scenario,
        params: scenario.defaults,
        spec: Spec::Portfolio,
        seed: 7,
        number: 1_234,
        build: Build(0xa1b2_c3d4),
    }
}

fn pool() -> Token {
    token(scenario("pool").expect("it is shipped"))
}

#[test]
fn a_token_holds_what_is_not_a_default() {
    let mut token = pool();
    assert_eq!(token.to_string(), "lk1.pool.portfolio.7.1234.-.a1b2c3d4");
    token.params.tasks = 20;
    token.params.workers = 3;
    token.params.faults = Faults::Swarm;
    token.params.max_steps = 500;
    token.spec = Spec::Pct(3);
    assert_eq!(
        token.to_string(),
        "lk1.pool.pct:3.7.1234.t20w3fss500.a1b2c3d4"
    );
}

#[test]
fn tokens_are_read_as_they_are_written_and_fit() {
    let mut count = 0;
    let mut short = 0;
    for scenario in scenarios() {
        let mut seed = 0_u64;
        for spec in [Spec::Portfolio, Spec::Urw, Spec::Pct(Spec::DEPTH_MAX)] {
            for faults in [Faults::None, Faults::Stock, Faults::Swarm] {
                for size in [1, 9, 10, 36, 4_711, SIZE_MAX] {
                    for number in [0, 35, 36, 999_999, SCHEDULES_MAX - 1] {
                        // Every length there is, the largest with the largest sizes.
                        seed = seed.wrapping_mul(7).wrapping_add(1);
                        let largest = if size == SIZE_MAX { u64::MAX } else { 0 };
                        let mut token = token(scenario);
                        token.spec = spec;
                        token.seed = seed.max(largest);
                        token.number = number;
                        token.params.faults = faults;
                        token.params.tasks = size;
                        token.params.workers = size;
                        token.params.max_steps = size.saturating_mul(10_000).min(STEPS_MAX);
                        if cfg!(feature = "mutation") {
                            token.params.mutation = Mutation::ALL.len() as u8;
                        }
                        let text = token.to_string();
                        assert!(text.len() <= TOKEN_MAX, "{text}");
                        assert_eq!(text.parse(), Ok(token), "{text}");
                        count += 1;
                        short += u32::from(text.starts_with("lz1"));
                    }
                }
            }
        }
    }
    assert!(0 < short && short < count, "{short} of {count}");
}

/// The sum of the largest parts, so that a longer name of a scenario is noticed here.
#[test]
fn the_longest_token_fits() {
    let longest = scenarios().map(|scenario| scenario.name.len());
    let longest = longest.into_iter().max().expect("there are scenarios");
    let parts = [
        "lz1",
        "portfolio",
        &Form::Short.number(u64::MAX),
        &Form::Short.number(SCHEDULES_MAX - 1),
        &format!(
            "T{size}W{size}FsMx18S{}",
            Form::Short.number(u64::from(STEPS_MAX)),
            size = Form::Short.number(u64::from(SIZE_MAX)),
        ),
        "a1b2c3d4",
    ];
    let length = longest + parts.map(str::len).iter().sum::<usize>() + parts.len();
    assert!(length <= TOKEN_MAX, "{length}");
}

#[test]
fn what_is_wrong_is_said() {
    let cases = [
        ("", "a token begins with `lk1.`"),
        ("lk2.pool.urw.1.1.-.a1b2c3d4", "a token begins with `lk1.`"),
        ("lk1.pool.urw.1.1.-", "it has 6 parts"),
        ("lk1.pol.urw.1.1.-.a1b2c3d4", "there is no scenario `pol`"),
        ("lk1.pool.pct.1.1.-.a1b2c3d4", "`pct` is not a strategy"),
        ("lk1.pool.urw.x.1.-.a1b2c3d4", "the seed `x`"),
        ("lk1.pool.urw.+1.1.-.a1b2c3d4", "the seed `+1`"),
        (
            "lk1.pool.urw.18446744073709551616.1.-.a1b2c3d4",
            "too large",
        ),
        (
            "lk1.pool.urw.1.1000000000.-.a1b2c3d4",
            "the number `1000000000`",
        ),
        (
            "lk1.pool.urw.1.1..a1b2c3d4",
            "where none differs there is a `-`",
        ),
        ("lk1.pool.urw.1.1.t.a1b2c3d4", "the parameter `t`"),
        ("lk1.pool.urw.1.1.t0.a1b2c3d4", "from 1 to 100000"),
        (
            "lk1.pool.urw.1.1.w4t20.a1b2c3d4",
            "the parameter `t20` is not understood: expected one of",
        ),
        ("lk1.pool.urw.1.1.t2t3.a1b2c3d4", "each at most once"),
        ("lk1.pool.urw.1.1.fx.a1b2c3d4", "n (none)"),
        ("lk1.pool.urw.1.1.mb99.a1b2c3d4", "there is no mutation"),
        (
            "lk1.pool.urw.1.1.q1.a1b2c3d4",
            "expected one of t, w, f, m, s",
        ),
        ("lk1.pool.urw.1.1.é1.a1b2c3d4", "the parameter `é1`"),
        ("lk1.pool.urw.1.1.-.a1b2c3", "the build `a1b2c3`"),
        ("lk1.pool.urw.1.1.-.+1b2c3d4", "the build `+1b2c3d4`"),
    ];
    for (text, words) in cases {
        let error = text.parse::<Token>().expect_err(text).to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
    let long = format!("lk1.pool.urw.1.1.t{}.a1b2c3d4", "0".repeat(60));
    assert_eq!(long.parse::<Token>(), Err(TokenError::Foreign));
}

#[cfg(not(feature = "mutation"))]
#[test]
fn a_build_without_seeded_bugs_says_so() {
    let error = "lk1.pool.urw.1.1.mb1.a1b2c3d4".parse::<Token>();
    let error = error.expect_err("it cannot be followed").to_string();
    assert!(error.contains("--features mutation"), "{error}");
}

#[test]
fn a_token_leads_to_its_run() {
    let mut token = pool();
    token.params.tasks = 3;
    let sweep = token.sweep();
    assert_eq!(Token::of(&sweep, 1_234).seed, 7);
    assert_eq!(sweep.params.tasks, 3);
    assert!(sweep.schedules > token.number);
}
