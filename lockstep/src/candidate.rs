//! What may happen next. A candidate is something ready: a process that can run, a message or bytes in flight, an
//! end that is still to be noticed, or the clock. It knows no strategy.

/// The number of a candidate: dense, given in the order of creation, never given twice in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CandidateId(pub u32);

/// What a candidate is in the story, the same in every run of a scenario. Strategies carry what they learnt in trial
/// runs from candidates to later candidates of the same role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role(u16);

/// Roles of processes and of pipes are numbered below this by the scenario.
pub const ROLES_MAX: u16 = 64;

impl Role {
    /// The clock.
    pub const CLOCK: Self = Self(0);

    /// A process.
    ///
    /// # Panics
    /// From [`ROLES_MAX`] on, as do the others.
    #[must_use]
    pub const fn process(number: u16) -> Self {
        assert!(number < ROLES_MAX, "roles are numbered below 64");
        Self(1 + number)
    }

    /// The end of a process of this role, on its way to whoever started it.
    #[must_use]
    pub const fn end_of(number: u16) -> Self {
        assert!(number < ROLES_MAX, "roles are numbered below 64");
        Self(1 + ROLES_MAX + number)
    }

    /// A pipe.
    #[must_use]
    pub const fn pipe(number: u16) -> Self {
        assert!(number < ROLES_MAX, "roles are numbered below 64");
        Self(1 + 2 * ROLES_MAX + number)
    }

    /// The messages from processes of one role to those of another.
    #[must_use]
    pub const fn link(from: u16, to: u16) -> Self {
        assert!(
            from < ROLES_MAX && to < ROLES_MAX,
            "roles are numbered below 64"
        );
        Self(1 + 3 * ROLES_MAX + from * ROLES_MAX + to)
    }
}
