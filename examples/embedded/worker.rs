//! The worker program of the library: started by it and by nobody else.
#![expect(
    clippy::print_stderr,
    reason = "whoever starts it by hand is to be told what it is"
)]

#[path = "kind.rs"]
mod kind;

use farm::worker::{Worker, run_if_asked};
use std::process::ExitCode;

fn main() -> ExitCode {
    run_if_asked(|| Worker::new().with(kind::Words));
    eprintln!("this is the worker program of the library `embedded`; it does nothing by itself");
    ExitCode::from(2)
}
