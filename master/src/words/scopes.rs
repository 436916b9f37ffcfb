//! Scopes in words.

use super::quoted;
use crate::group::{MemberEnd, Rule, Ties};
use crate::scope::{Decision, ScopeEnd};
use farm_protocol::ScopeId;
use std::time::Duration;

pub(super) fn into(scope: Option<ScopeId>) -> String {
    scope.map_or_else(String::new, |scope| format!(" into {scope}"))
}

pub(super) fn opened(
    scope: ScopeId,
    parent: Option<ScopeId>,
    rule: Option<(Rule, Ties)>,
    limit: Option<Duration>,
) -> String {
    let mut out = scope.to_string();
    if let Some(parent) = parent {
        out.push_str(&format!(" in {parent}"));
    }
    if let Some((rule, ties)) = rule {
        out.push_str(&match rule {
            Rule::All => " all".to_string(),
            Rule::FirstError => " first error".to_string(),
            Rule::FirstSuccess => " first success".to_string(),
            Rule::Quorum(wanted) => format!(" quorum {wanted}"),
        });
        out.push_str(match ties {
            Ties::Arrival => "",
            Ties::Lowest => " by index",
        });
    }
    if let Some(limit) = limit {
        out.push_str(&format!(" within {limit:?}"));
    }
    out
}

/// So many winners are named.
const NAMED: usize = 10;

pub(super) fn ended(end: &ScopeEnd) -> String {
    let decision = match &end.decision {
        Decision::AllEnded { done, of } => format!("all ended, {done} done of {of}"),
        Decision::FirstError { index, task } => format!("first error {index} {task}"),
        Decision::Succeeded { indexes } => {
            let named: Vec<String> = indexes.iter().take(NAMED).map(u32::to_string).collect();
            let more = if indexes.len() > NAMED { " …" } else { "" };
            format!("succeeded {}{more}", named.join(" "))
        }
        Decision::TooFew { done, wanted } => format!("too few, {done} done of {wanted}"),
        Decision::Cancelled { reason } => format!("cancelled {}", quoted(reason)),
        Decision::TimedOut => "timed out".to_string(),
    };
    if end.ends.is_empty() {
        return decision;
    }
    let count = |wanted| end.ends.iter().filter(|end| **end == wanted).count();
    format!(
        "{decision} ({} done, {} failed, {} neither)",
        count(MemberEnd::Done),
        count(MemberEnd::Error),
        count(MemberEnd::Neutral),
    )
}
