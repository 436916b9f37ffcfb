//! Limits on an attempt besides its wall time: stalls, processor time, memory, the start of a worker.

mod progress;
mod stall;
mod starting;
mod usage;
