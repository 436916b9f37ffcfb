//! Each output against golden text, and the promises that hold between them.

mod ends;
mod events;
mod joblog;
mod kit;
mod line;
mod order;
mod printing;
mod progress;
mod reporter;
mod results;
mod spool;
mod summary;
