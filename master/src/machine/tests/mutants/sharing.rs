//! Places that several kinds share, and tokens (`s1`, `s5`, `s6`).

use super::*;
use crate::Tokens;
use std::num::NonZeroU32;

fn shared(workers: u32) -> Config {
    let mut config = config(2, 0);
    config.kinds = vec![config.kinds[0].clone(); 2];
    config.workers = NonZeroU32::new(workers);
    config
}

fn limited() -> Config {
    Config {
        tokens: Tokens::Shared,
        ..config(2, 0)
    }
}

#[test]
fn s1_one_worker_beyond_all() {
    let play = |config| {
        let mut stage = Stage::new(config);
        // The machine would notice by itself.
        stage.checks = false;
        let _tasks = [stage.task(), stage.task()];
        stage.lines()
    };
    contrast(
        Mutation::OneWorkerBeyondAll,
        &shared(1),
        play,
        &["spawn w0 s1"],
        &["spawn w0 s1", "spawn w1 s2"],
    );
}

#[test]
fn s5_one_token_goes_back_twice() {
    let play = |config| {
        let mut stage = Stage::new(config);
        stage.tell(Event::TokenCame);
        stage.lines()
    };
    contrast(
        Mutation::GivenBackTwice,
        &limited(),
        play,
        &["give back"],
        &["give back", "give back"],
    );
}

#[test]
fn s6_nobody_hears_that_none_is_wanted() {
    let play = |config| {
        let mut stage = Stage::new(config);
        let (_first, second) = (stage.task(), stage.task());
        stage.cancel(second);
        stage.lines()
    };
    contrast(
        Mutation::WantNoneForgotten,
        &limited(),
        play,
        &["spawn w0 s1", "want", "settle t1 cancelled", "want no more"],
        &["spawn w0 s1", "want", "settle t1 cancelled"],
    );
}
