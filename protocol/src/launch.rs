//! The argument by which a worker program learns its descriptors and its master.
//!
//! An argument and not an environment variable: a variable would be inherited by every process a
//! worker starts, and a farm nested in one of them would take itself for a worker.

use crate::name::WorkerName;
use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

/// What the last argument of a worker program begins with.
const PREFIX: &str = "farm-worker:";

/// Everything a worker inherits. Numbers only: nobody here opens or closes anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Descriptor of the requests pipe, to read.
    pub requests: i32,
    /// Descriptor of the control pipe, to read.
    pub control: i32,
    /// Descriptor of the answers pipe, to write.
    pub answers: i32,
    /// Descriptor of the page; without one the master sends one request at a time.
    pub page: Option<i32>,
    /// Descriptors of the farm's own stdout and stderr, for tasks that write through.
    pub through: Option<[i32; 2]>,
    /// The process that spawned the worker. If the parent is another, the master is gone.
    pub master: u32,
    /// What the process is called, by itself and by what it creates.
    pub name: WorkerName,
    /// The kind that it is started for, of all that its program performs.
    pub kind: String,
}

impl Launch {
    /// The launch described by the last argument of a program, if it was started as a worker.
    #[must_use]
    pub fn from_last_argument(argument: &str) -> Option<Self> {
        argument.parse().ok()
    }
}

impl fmt::Display for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [out, err] = self.through.unwrap_or([-1, -1]);
        let page = self.page.unwrap_or(-1);
        let Self {
            requests,
            control,
            answers,
            master,
            name,
            kind,
            ..
        } = self;
        write!(
            f,
            "{PREFIX}{requests},{control},{answers},{page},{out},{err}:{master}:{name}:{kind}"
        )
    }
}

/// The argument is not a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not started as a worker: the last argument is not `{PREFIX}…`")]
pub struct NotLaunched;

impl FromStr for Launch {
    type Err = NotLaunched;

    fn from_str(text: &str) -> Result<Self, NotLaunched> {
        let (numbers, rest) = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once(':'))
            .ok_or(NotLaunched)?;
        let (master, rest) = rest.split_once(':').ok_or(NotLaunched)?;
        // Last, because the name of a kind may hold anything.
        let (name, kind) = rest.split_once(':').ok_or(NotLaunched)?;
        let mut fields = [0; 6];
        let mut parts = numbers.split(',');
        for field in &mut fields {
            *field = parts
                .next()
                .and_then(|part| part.parse().ok())
                .ok_or(NotLaunched)?;
        }
        let [requests, control, answers, page, out, err] = fields;
        if parts.next().is_some() || requests < 0 || control < 0 || answers < 0 {
            return Err(NotLaunched);
        }
        Ok(Self {
            requests,
            control,
            answers,
            page: (page >= 0).then_some(page),
            through: (out >= 0 && err >= 0).then_some([out, err]),
            master: master.parse().map_err(|_| NotLaunched)?,
            name: name.parse().map_err(|_| NotLaunched)?,
            kind: kind.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    //! The argument is read back as it was written.
    use super::*;
    use crate::id::Session;

    #[test]
    fn round_trip() {
        let full = Launch {
            requests: 3,
            control: 4,
            answers: 5,
            page: Some(6),
            through: Some([7, 8]),
            master: 4711,
            name: WorkerName {
                farm: 35,
                session: Session(3),
            },
            kind: "a kind: odd".to_string(),
        };
        let bare = Launch {
            page: None,
            through: None,
            ..full.clone()
        };
        assert_eq!(
            full.to_string(),
            "farm-worker:3,4,5,6,7,8:4711:f000000000000z_s3w:a kind: odd"
        );
        for launch in [full, bare] {
            assert_eq!(launch.to_string().parse(), Ok(launch));
        }
    }

    #[test]
    fn ordinary_arguments_are_no_launch() {
        for text in [
            "",
            "run",
            "farm-worker",
            "farm-worker:",
            "farm-worker:1,2,3:4",
            "farm-worker:-1,4,5,-1,-1,-1:9:f000000000000z_s3w:kind",
            "farm-worker:3,4,5,6,7,8:4711",
            "farm-worker:3,4,5,6,7,8:4711:f000000000000z_s3w",
            "farm-worker:3,4,5,6,7,8:4711:me:kind",
        ] {
            assert_eq!(Launch::from_last_argument(text), None, "{text}");
        }
    }
}
