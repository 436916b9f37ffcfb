//! Seeded bugs: one plausible mistake each, switched on at run time, so that whoever tests the rules can show that a
//! sweep would find it. Owns their names and the switch, not what they do: each is done where its rule is.
//!
//! Without the feature `mutation` the switch has no size and always says no: nothing of this is left in a real farm.

use core::fmt;
use core::str::FromStr;

/// One seeded bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mutation {
    /// `b1`: the answer that was in the pipe when its attempt was asked to stop is used all the same (one that
    /// acknowledges the stop is not). A cancelled task ends `Done`, or is retried.
    AnswerAfterStopCounts,
    /// `b2`: the exit alone ends a session, before its answers are read to their end. What was answered runs again.
    ExitBeforeAnswers,
    /// `b3`: a cancel settles a sent task at once and frees its worker, and a reply is taken for the first request
    /// that the worker is thought to have. A task gets the answer of another.
    ReplyUnmatched,
    /// `b4`: workers are given a task before their hello, and one that ends before it takes its task with it. The task
    /// never ends.
    LostWhileBooting,
    /// `b8`: a task that a worker died with or gave back needs no place in flight: it is handed to a worker that has
    /// all that it may have, and others are started as if it were not there. Bounds are exceeded by one per such task.
    RequeueBeyondBound,
    /// `b10`: after SIGTERM the ladder is not armed again. A worker that ignores it is never killed.
    NoKillAfterTerminate,
    /// `b11`: what is left of a frame when the answers end is taken for a whole one. A cut answer is used, or counts
    /// as garbled, where the worker died in the middle of it.
    CutFrameAccepted,
    /// `b12`: the end of the answers and the exit each bring back what the worker had. A task runs twice at a time,
    /// and deaths are not charged.
    RequeuedTwice,
    /// `x1`: one retry more than allowed.
    OneRetryMore,
    /// `x2`: a death is charged to every task that the worker held.
    HeldIsCharged,
    /// `x3`: one charged death more than the crash limit before a task is suspected.
    OneDeathMore,
    /// `x4`: our own kill is charged to the task that was executing.
    OurKillIsCharged,
    /// `x5`: an answer is compared with what is in flight by its task alone, not by its attempt.
    AttemptUnfenced,
    /// `x6`: no pause after a start failure.
    NoPauseAfterFailure,
    /// `x7`: the youngest suitable task starts first.
    YoungestFirst,
    /// `x8`: a retry does not wait for its delay.
    RetryWithoutDelay,
    /// `x9`: the waiting limit goes on after the first start, and stops the attempt.
    WaitingLimitStays,
    /// `x10`: a cancelled attempt keeps its place under its limit for ever. `check_invariants` sees it at once.
    LimitKeptByCancel,
    /// `x11`: a request that a worker hands back is forgotten. The task never ends.
    RevokedForgotten,
    /// `x12`: the demand is one more than there is room. The last task pulled is refused.
    DemandOneMore,
    /// `x13`: a drain does not wait for retries that wait for their delay. The farm stops before they have ended.
    DrainForgetsDelayed,
    /// `x14`: a worker that was asked to end is sent SIGTERM but never killed. The farm may never stop.
    NoKillOfClosing,
    /// `x15`: one injected task more than the injection limit.
    OneInjectedMore,
    /// `x16`: start failures are counted over all times, not in a row. A pool ends that has worked in between.
    StartFailuresNeverForgotten,
    /// `x17`: a task that must not run twice runs again after its worker died.
    LostRunsAgain,
    /// `x18`: no limit on the time to the hello. A worker that says nothing keeps its slot.
    NoHelloLimit,
    /// `x19`: a worker that is gone still counts as a holder of the keys it had. What needs one of them waits for it.
    DeadHolderRemembered,
    /// `x20`: a pinned task stands in the line of its key, and whoever is free takes it.
    PinnedGivenAway,
    /// `x21`: a pinned task that should end with its worker goes to any other.
    FailIgnored,
    /// `x22`: a pinned task goes elsewhere as it is, and not as its substitute.
    SubstituteNotCalled,
    /// `x23`: what a worker was refused is not looked at again after it has learnt something.
    RefusalKept,
    /// `x24`: a broadcast changes nothing. What the kind would give away now goes on waiting.
    BroadcastUnheard,
    /// `x25`: nobody is told that nothing will start a task.
    UnmatchedUnsaid,
    /// `x26`: a key that is required is only preferred.
    RequiresAsPrefers,
    /// `x27`: a new priority does not move a task that waits already.
    PriorityLost,
    /// `x28`: whoever looks first takes what an idle worker holds the key of.
    HolderRobbed,
    /// `x29`: a new order counts for what comes after it, not for what waits.
    OrderForNewcomers,
    /// `x30`: a worker takes what is pinned to it after everything else.
    PinnedLast,
    /// `x31`: no idle worker is replaced for what only a fresh one would take.
    NoRoomMade,
    /// `x32`: a drain does not end what nothing will start. The farm never stops.
    DrainKeepsUnmatched,
    /// `g1`: a quorum is decided one success too early.
    QuorumOneTooEarly,
    /// `g2`: the tie rule is forgotten: members below the lowest that decides are cancelled too.
    LowestIsCut,
    /// `g3`: a cancelled member counts as an error.
    CancelledIsError,
    /// `g4`: a decision forgets members that wait for the delay of a retry. They are tried again.
    DecisionForgetsDelayed,
    /// `g5`: a decision ends what runs and not what waits. It starts.
    DecisionSparesWaiting,
    /// `g6`: what ends a scope does not go on to the scopes inside.
    InnerScopesLeft,
    /// `g7`: a scope ends when its last member does. Its follow-ups outlive it.
    FollowUpsOutlive,
    /// `g8`: who comes into a group that is decided is let in.
    LateMembersRun,
    /// `r1`: a worn worker is killed and not asked to end.
    WornIsKilled,
    /// `r2`: a worker does one task more than it may.
    OneTaskMore,
    /// `r3`: an idle worker ends also when it is one of those that are kept.
    KeptIsReaped,
    /// `r4`: a smaller number of workers is forgotten for those that start later.
    ShrinkForgotten,
    /// `r5`: a worn worker goes before what is pinned to it.
    WornBeforePinned,
    /// `r6`: so many workers are started with the farm, and not again.
    KeptOnlyOnce,
    /// `r7`: a worker that is busy at its age stays.
    AgeForgottenWhenBusy,
    /// `r8`: whether a worker idles is looked at once. One that was busy then stays for ever.
    IdleLookedAtOnce,
    /// `r9`: a worker that is worn while it executes goes without what comes of that. Its follow-ups lose their worker.
    WornWhileBusy,
    /// `r10`: a spare that goes is not followed by the next.
    SpareNotReplaced,
    /// `r11`: what a worker held at first is forgotten. All that it holds counts as grown.
    BaselineForgotten,
    /// `s1`: one worker more than there may be over all kinds.
    OneWorkerBeyondAll,
    /// `s2`: of the kinds that want a place the last one gets it, however many it has. Others wait.
    LastKindFirst,
    /// `s3`: a worker that dies while it executes takes a token along. It is never given back.
    TokenDiesWithWorker,
    /// `s4`: a worker begins, and the token for it is only asked for.
    BeginsWithoutToken,
    /// `s5`: of tokens that go back together one goes twice. Others have one more than there are.
    GivenBackTwice,
    /// `s6`: the jobserver is not told that no token is wanted any more.
    WantNoneForgotten,
    /// `s7`: a kind that always wants one more worker stays the one that has wanted it longest. It gets every place.
    PlaceAgain,
    /// `s8`: no idle worker goes for another kind.
    IdleKept,
    /// `s9`: no worker that has work goes for a kind that has nobody.
    BusyKept,
    /// `s10`: a kind that has begun with a token stays the next one to get one.
    FirstInLineStays,
    /// `n1`: why a named worker closes is not known yet when those who wait for it are told. They hear of no crash.
    ToldBeforeReason,
    /// `n2`: whoever waits for a request that a newer one displaced is not told.
    DisplacedForgotten,
    /// `n3`: a worker that drains goes on taking requests.
    DrainTakesMore,
    /// `n4`: `on_close` runs twice.
    ClosedTwice,
    /// `n5`: a name is free as soon as its worker begins to close. Two of one name live at a time.
    NameFreedEarly,
    /// `n6`: whoever waits for room in the mailbox of a worker that closes is not told.
    BlockedForgotten,
    /// `n7`: of requests that share an answer only the last one is told.
    MergedForgotten,
    /// `n8`: whoever launched a worker that was shut down before it came up is not told.
    LauncherForgotten,
}

/// Variants and their ids; the only table of them.
const IDS: [(Mutation, &str); 77] = [
    (Mutation::AnswerAfterStopCounts, "b1"),
    (Mutation::ExitBeforeAnswers, "b2"),
    (Mutation::ReplyUnmatched, "b3"),
    (Mutation::LostWhileBooting, "b4"),
    (Mutation::RequeueBeyondBound, "b8"),
    (Mutation::NoKillAfterTerminate, "b10"),
    (Mutation::CutFrameAccepted, "b11"),
    (Mutation::RequeuedTwice, "b12"),
    (Mutation::OneRetryMore, "x1"),
    (Mutation::HeldIsCharged, "x2"),
    (Mutation::OneDeathMore, "x3"),
    (Mutation::OurKillIsCharged, "x4"),
    (Mutation::AttemptUnfenced, "x5"),
    (Mutation::NoPauseAfterFailure, "x6"),
    (Mutation::YoungestFirst, "x7"),
    (Mutation::RetryWithoutDelay, "x8"),
    (Mutation::WaitingLimitStays, "x9"),
    (Mutation::LimitKeptByCancel, "x10"),
    (Mutation::RevokedForgotten, "x11"),
    (Mutation::DemandOneMore, "x12"),
    (Mutation::DrainForgetsDelayed, "x13"),
    (Mutation::NoKillOfClosing, "x14"),
    (Mutation::OneInjectedMore, "x15"),
    (Mutation::StartFailuresNeverForgotten, "x16"),
    (Mutation::LostRunsAgain, "x17"),
    (Mutation::NoHelloLimit, "x18"),
    (Mutation::DeadHolderRemembered, "x19"),
    (Mutation::PinnedGivenAway, "x20"),
    (Mutation::FailIgnored, "x21"),
    (Mutation::SubstituteNotCalled, "x22"),
    (Mutation::RefusalKept, "x23"),
    (Mutation::BroadcastUnheard, "x24"),
    (Mutation::UnmatchedUnsaid, "x25"),
    (Mutation::RequiresAsPrefers, "x26"),
    (Mutation::PriorityLost, "x27"),
    (Mutation::HolderRobbed, "x28"),
    (Mutation::OrderForNewcomers, "x29"),
    (Mutation::PinnedLast, "x30"),
    (Mutation::NoRoomMade, "x31"),
    (Mutation::DrainKeepsUnmatched, "x32"),
    (Mutation::QuorumOneTooEarly, "g1"),
    (Mutation::LowestIsCut, "g2"),
    (Mutation::CancelledIsError, "g3"),
    (Mutation::DecisionForgetsDelayed, "g4"),
    (Mutation::DecisionSparesWaiting, "g5"),
    (Mutation::InnerScopesLeft, "g6"),
    (Mutation::FollowUpsOutlive, "g7"),
    (Mutation::LateMembersRun, "g8"),
    (Mutation::WornIsKilled, "r1"),
    (Mutation::OneTaskMore, "r2"),
    (Mutation::KeptIsReaped, "r3"),
    (Mutation::ShrinkForgotten, "r4"),
    (Mutation::WornBeforePinned, "r5"),
    (Mutation::KeptOnlyOnce, "r6"),
    (Mutation::AgeForgottenWhenBusy, "r7"),
    (Mutation::IdleLookedAtOnce, "r8"),
    (Mutation::WornWhileBusy, "r9"),
    (Mutation::SpareNotReplaced, "r10"),
    (Mutation::BaselineForgotten, "r11"),
    (Mutation::OneWorkerBeyondAll, "s1"),
    (Mutation::LastKindFirst, "s2"),
    (Mutation::TokenDiesWithWorker, "s3"),
    (Mutation::BeginsWithoutToken, "s4"),
    (Mutation::GivenBackTwice, "s5"),
    (Mutation::WantNoneForgotten, "s6"),
    (Mutation::PlaceAgain, "s7"),
    (Mutation::IdleKept, "s8"),
    (Mutation::BusyKept, "s9"),
    (Mutation::FirstInLineStays, "s10"),
    (Mutation::ToldBeforeReason, "n1"),
    (Mutation::DisplacedForgotten, "n2"),
    (Mutation::DrainTakesMore, "n3"),
    (Mutation::ClosedTwice, "n4"),
    (Mutation::NameFreedEarly, "n5"),
    (Mutation::BlockedForgotten, "n6"),
    (Mutation::MergedForgotten, "n7"),
    (Mutation::LauncherForgotten, "n8"),
];

impl Mutation {
    /// All of them, in the order of their ids.
    pub const ALL: [Self; IDS.len()] = {
        let mut all = [Self::AnswerAfterStopCounts; IDS.len()];
        let mut index = 0;
        while index < IDS.len() {
            all[index] = IDS[index].0;
            index += 1;
        }
        all
    };

    /// The id, by which people and tokens name it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        let (mutation, id) = IDS[self as usize];
        assert!(
            mutation as usize == self as usize,
            "the table is in the order of the variants"
        );
        id
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A name that is no mutation's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no mutation `{0}`; they are b1 to b4, b8, b10 to b12, x1 to x32, g1 to g8, r1 to r11, s1 to s10, and \
     n1 to n8"
)]
pub struct UnknownMutation(pub String);

impl FromStr for Mutation {
    type Err = UnknownMutation;

    /// # Errors
    /// [`UnknownMutation`] when no mutation has this id.
    fn from_str(id: &str) -> Result<Self, UnknownMutation> {
        let found = IDS.iter().find(|(_, known)| *known == id);
        found.map_or_else(
            || Err(UnknownMutation(id.to_owned())),
            |(mutation, _)| Ok(*mutation),
        )
    }
}

/// The switch: which seeded bug a machine has, if any. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutated {
    #[cfg(feature = "mutation")]
    by: Option<Mutation>,
}

impl Mutated {
    /// A machine without a bug.
    pub const NONE: Self = Self {
        #[cfg(feature = "mutation")]
        by: None,
    };

    /// A machine with this bug.
    #[cfg(feature = "mutation")]
    #[must_use]
    pub const fn by(mutation: Mutation) -> Self {
        Self { by: Some(mutation) }
    }

    /// Which bug it has.
    #[cfg(feature = "mutation")]
    #[must_use]
    pub const fn mutation(self) -> Option<Mutation> {
        self.by
    }

    /// Whether it has this bug.
    #[cfg(feature = "mutation")]
    #[inline]
    #[must_use]
    pub const fn is(self, mutation: Mutation) -> bool {
        matches!(self.by, Some(by) if by as u8 == mutation as u8)
    }

    /// Whether it has this bug: without the feature, never.
    #[cfg(not(feature = "mutation"))]
    #[inline]
    #[must_use]
    pub const fn is(self, _: Mutation) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    //! Ids are one to one, and the switch is what it says.
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for mutation in Mutation::ALL {
            assert_eq!(mutation.to_string().parse(), Ok(mutation));
        }
        let unknown = "b9".parse::<Mutation>().expect_err("there is none");
        assert!(unknown.to_string().contains("`b9`"));
    }

    #[test]
    fn no_bug_by_default() {
        for mutation in Mutation::ALL {
            assert!(!Mutated::default().is(mutation));
        }
    }

    #[cfg(feature = "mutation")]
    #[test]
    fn one_bug_at_a_time() {
        for mutation in Mutation::ALL {
            let mutated = Mutated::by(mutation);
            assert_eq!(mutated.mutation(), Some(mutation));
            assert_eq!(
                Mutation::ALL
                    .into_iter()
                    .filter(|other| mutated.is(*other))
                    .count(),
                1
            );
        }
    }

    #[cfg(not(feature = "mutation"))]
    #[test]
    fn without_the_feature_nothing_is_left() {
        assert_eq!(size_of::<Mutated>(), 0);
    }
}
