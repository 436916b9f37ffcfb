//! Limits on an attempt besides its time: progress and stalls, processor time, memory, the start of a worker.

mod progress;
