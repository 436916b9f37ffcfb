//! What a sweep must have seen at least once: a scenario in which the interesting never happens shows nothing.

/// What should happen in some run of a sweep; bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u128)]
pub(crate) enum Seen {
    Done,
    Retried,
    Charged,
    Poisoned,
    LateAnswer,
    AckedStop,
    KilledStop,
    CancelledWaiting,
    StartFailed,
    ExitBeforeEof,
    EofBeforeExit,
    Babbled,
    Injected,
    InjectionRefused,
    Revoked,
    Decoded,
    TimedOut,
    QueueFull,
    Paused,
    PoolEnded,
    GaveBack,
    Flooded,
    PinnedStarts,
    Unpinned,
    Substituted,
    HolderGone,
    Preferred,
    Required,
    Unmatched,
    NoMatch,
    MadeRoom,
    AllEnded,
    FirstError,
    LowestError,
    FirstSuccess,
    LowestSuccess,
    FirstQuorum,
    LowestQuorum,
    TooFew,
    ScopeCancelled,
    ParentCancelled,
    ScopeTimedOut,
    ChildGivenUp,
    InnerEnded,
    VerdictStood,
    LateError,
    MemberRefused,
    MemberStopped,
    MemberOverdue,
    DelayedGivenUp,
    ScopeOver,
    ScopeRefused,
    VainMember,
    VainFollowUp,
    RecycledByTasks,
    RecycledByAge,
    RecycledByIdling,
    RecycledByMemory,
    PinnedToWorn,
    Reaped,
    BusyShrunk,
    SpareUsed,
    LeastRefilled,
    ThreeKindsEnd,
    IdleGoesForOthers,
    BusyGoesForOthers,
    KeptGoesForOthers,
    WaitsForPlace,
    WaitsForToken,
    TokenComes,
    TokenGoesBack,
    TokenComesLate,
    TokensLost,
    LostWithTokens,
    TokensCounted,
    TokensPutBack,
    OthersHaveAll,
}

/// Variants and what is said of them; the only table of them.
const WORDS: [(Seen, &str); 77] = [
    (Seen::Done, "a task is done"),
    (Seen::Retried, "a task is retried"),
    (Seen::Charged, "a death is charged"),
    (Seen::Poisoned, "a task is poisoned"),
    (Seen::LateAnswer, "a late answer is void"),
    (Seen::AckedStop, "a stop is acknowledged"),
    (Seen::KilledStop, "a stop ends with its process"),
    (Seen::CancelledWaiting, "a waiting task is cancelled"),
    (Seen::StartFailed, "a start fails"),
    (
        Seen::ExitBeforeEof,
        "an exit is seen before the end of the answers",
    ),
    (
        Seen::EofBeforeExit,
        "the end of the answers is seen before the exit",
    ),
    (Seen::Babbled, "a worker speaks nonsense"),
    (Seen::Injected, "a task is injected"),
    (Seen::InjectionRefused, "an injected task is refused"),
    (Seen::Revoked, "a request is called back"),
    (Seen::Decoded, "a response is decoded off the loop"),
    (Seen::TimedOut, "a time limit passes"),
    (Seen::QueueFull, "a full queue refuses"),
    (Seen::Paused, "the lane is paused"),
    (Seen::PoolEnded, "the pool ends"),
    (Seen::GaveBack, "a request is handed back"),
    (Seen::Flooded, "output is attributed"),
    (Seen::PinnedStarts, "a task starts where it is pinned to"),
    (Seen::Unpinned, "a task loses its pin and goes elsewhere"),
    (Seen::Substituted, "a substitute takes the place of a task"),
    (
        Seen::HolderGone,
        "a task ends with the worker that it was pinned to",
    ),
    (
        Seen::Preferred,
        "a task goes to a worker that holds its key",
    ),
    (
        Seen::Required,
        "a task goes to a worker that holds the key it needs",
    ),
    (Seen::Unmatched, "a task is said to match nobody"),
    (
        Seen::NoMatch,
        "a draining farm ends a task that matches nobody",
    ),
    (Seen::MadeRoom, "an idle worker makes room for a fresh one"),
    (Seen::AllEnded, "a group comes to nothing but ends"),
    (Seen::FirstError, "the first error decides"),
    (Seen::LowestError, "the lowest error decides"),
    (Seen::FirstSuccess, "the first success decides"),
    (Seen::LowestSuccess, "the lowest success decides"),
    (Seen::FirstQuorum, "the first successes make a quorum"),
    (Seen::LowestQuorum, "the lowest successes make a quorum"),
    (Seen::TooFew, "so many cannot be reached"),
    (Seen::ScopeCancelled, "a scope is cancelled"),
    (
        Seen::ParentCancelled,
        "the scope around another is cancelled",
    ),
    (Seen::ScopeTimedOut, "the time of a scope is over"),
    (Seen::ChildGivenUp, "a decided group takes a scope along"),
    (Seen::InnerEnded, "a scope inside another ends by itself"),
    (Seen::VerdictStood, "what was decided stands"),
    (Seen::LateError, "a member fails after the decision"),
    (Seen::MemberRefused, "a member is not admitted"),
    (
        Seen::MemberStopped,
        "a member is asked to stop for its scope",
    ),
    (
        Seen::MemberOverdue,
        "a member is asked to stop for the time of its scope",
    ),
    (
        Seen::DelayedGivenUp,
        "a member ends that waits for its retry",
    ),
    (Seen::ScopeOver, "a scope that is over refuses a task"),
    (Seen::ScopeRefused, "a scope is refused"),
    (Seen::VainMember, "a member comes too late"),
    (Seen::VainFollowUp, "a follow-up comes too late"),
    (
        Seen::RecycledByTasks,
        "a worker is replaced after its tasks",
    ),
    (Seen::RecycledByAge, "a worker is replaced at its age"),
    (Seen::RecycledByIdling, "a worker is replaced after idling"),
    (
        Seen::RecycledByMemory,
        "a worker is replaced for its memory",
    ),
    (
        Seen::PinnedToWorn,
        "a worn worker does what is pinned to it",
    ),
    (Seen::Reaped, "an idle worker that nobody needs ends"),
    (
        Seen::BusyShrunk,
        "a busy worker goes when there are too many",
    ),
    (Seen::SpareUsed, "a spare gets a task"),
    (
        Seen::LeastRefilled,
        "a worker that died is replaced where so many are kept",
    ),
    (Seen::ThreeKindsEnd, "three kinds have all their ends"),
    (
        Seen::IdleGoesForOthers,
        "an idle worker goes for another kind",
    ),
    (
        Seen::BusyGoesForOthers,
        "a busy worker goes for another kind",
    ),
    (
        Seen::KeptGoesForOthers,
        "a worker that is kept goes for a kind that has nobody",
    ),
    (Seen::WaitsForPlace, "work waits for a place"),
    (Seen::WaitsForToken, "work waits for a token"),
    (Seen::TokenComes, "a token comes"),
    (Seen::TokenGoesBack, "a token goes back"),
    (Seen::TokenComesLate, "a token comes when none is wanted"),
    (Seen::TokensLost, "the jobserver is lost"),
    (Seen::LostWithTokens, "the jobserver is lost with tokens"),
    (Seen::TokensCounted, "tokens are counted"),
    (Seen::TokensPutBack, "tokens that were missing are put back"),
    (Seen::OthersHaveAll, "others take all tokens"),
];

impl Seen {
    /// What the list of a scenario says.
    pub(crate) const fn words(self) -> &'static str {
        let (seen, words) = WORDS[self as usize];
        assert!(
            seen as usize == self as usize,
            "the table is in the order of the variants"
        );
        words
    }
}

#[cfg(test)]
mod tests {
    //! The table has every variant, each with words of its own.
    use super::*;

    #[test]
    fn words_are_one_to_one() {
        let mut all: Vec<&str> = WORDS.iter().map(|(seen, _)| seen.words()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), WORDS.len());
        assert_eq!(Seen::OthersHaveAll as usize + 1, WORDS.len());
    }
}
