//! The adapter with a kind of each sort of misbehaviour.
