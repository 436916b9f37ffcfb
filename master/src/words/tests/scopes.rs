//! Scopes and groups, and who was cancelled by them.

use super::{KIND, settle, task};
use crate::group::{MemberEnd, Rule, Ties};
use crate::lane::Entry;
use crate::scope::{Decision, ScopeEnd, ScopeRefusal};
use crate::words::{action, event};
use crate::{Action, CancelledBy, Event, HowStopped, Outcome};
use farm_protocol::ScopeId;
use std::time::Duration;

#[test]
fn events() {
    for (told, expected) in [
        (
            Event::Submit {
                task: task(),
                kind: KIND,
                entry: Entry::Push,
                options: None,
                scope: Some(ScopeId(3)),
            },
            "submit t5 kind 0 push into c3",
        ),
        (
            Event::OpenScope {
                scope: ScopeId(3),
                parent: Some(ScopeId(1)),
                rule: Some((Rule::FirstSuccess, Ties::Lowest)),
                limit: Some(Duration::from_millis(1500)),
            },
            "open-scope c3 in c1 first success by index within 1.5s",
        ),
        (Event::CloseScope { scope: ScopeId(3) }, "close-scope c3"),
        (
            Event::CancelScope {
                scope: ScopeId(3),
                reason: "no".to_owned(),
            },
            "cancel-scope c3 \"no\"",
        ),
    ] {
        assert_eq!(event(&told).to_string(), expected);
    }
}

#[test]
fn settlements() {
    for (outcome, attempts, expected) in [
        (
            Outcome::Cancelled {
                by: CancelledBy::Group(ScopeId(3)),
                how: HowStopped::Acked,
            },
            1,
            "settle t5 cancelled acked by c3",
        ),
        (
            Outcome::Cancelled {
                by: CancelledBy::Scope {
                    scope: ScopeId(3),
                    reason: "no".to_owned(),
                },
                how: HowStopped::BeforeStart,
            },
            0,
            "settle t5 cancelled before its start by c3 \"no\"",
        ),
    ] {
        let said = action(&settle(outcome, attempts), &[]).to_string();
        assert_eq!(said, expected);
    }
}

#[test]
fn ends_of_scopes() {
    use MemberEnd::{Done, Error, Neutral};
    let task = task();
    for (decision, ends, expected) in [
        (
            Decision::AllEnded { done: 1, of: 2 },
            vec![],
            "c3 all ended, 1 done of 2",
        ),
        (
            Decision::FirstError { index: 1, task },
            vec![Done, Error, Neutral],
            "c3 first error 1 t5 (1 done, 1 failed, 1 neither)",
        ),
        (
            Decision::Succeeded {
                indexes: (0..12).collect(),
            },
            vec![Done; 12],
            "c3 succeeded 0 1 2 3 4 5 6 7 8 9 … (12 done, 0 failed, 0 neither)",
        ),
        (
            Decision::TooFew { done: 1, wanted: 2 },
            vec![Done],
            "c3 too few, 1 done of 2 (1 done, 0 failed, 0 neither)",
        ),
        (
            Decision::Cancelled {
                reason: "no".to_owned(),
            },
            vec![],
            "c3 cancelled \"no\"",
        ),
        (Decision::TimedOut, vec![], "c3 timed out"),
    ] {
        let scope = ScopeId(3);
        let ended = Action::ScopeEnded {
            scope,
            end: ScopeEnd { decision, ends },
        };
        let said = action(&ended, &[]).to_string();
        assert_eq!(said, format!("scope-ended {expected}"));
    }
    let refused = Action::RefuseScope {
        scope: ScopeId(3),
        refusal: ScopeRefusal::ParentOver(ScopeId(1)),
    };
    assert_eq!(
        action(&refused, &[]).to_string(),
        "refuse-scope c3 \"the scope c1 that it would be in takes nothing any more\""
    );
}
