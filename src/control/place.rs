//! Where sockets are: a folder of the user's alone, in it one socket per run, named by its pid.
//!
//! A socket appears under its name only when somebody listens on it, so one that refuses a connection is left over from
//! a run that was killed, and may be removed by whoever meets it.

use super::client::connect;
use interprocess::local_socket::{GenericFilePath, Listener, ListenerOptions, ToFsName as _};
use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
use rustix::process::geteuid;
use std::convert::Infallible;
use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// What the kernel takes as the path of a socket, in bytes, without the zero behind it.
const PATH_MAX: usize = 107;

/// How many names of a folder are looked at.
const NAMES_MAX: usize = 4096;

/// A socket that is not at its place after this long never will be.
const HALF_MADE: Duration = Duration::from_secs(60);

/// A connection to a socket of this machine is there at once or never.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How often a folder is made again that another run has just removed.
const TRIES: usize = 8;

/// Where the control socket of a run is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    /// In the user's folder, named by the pid.
    Auto,
    /// There.
    Path(PathBuf),
    /// Nowhere.
    Off,
}

impl FromStr for Where {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "auto" => Self::Auto,
            "off" => Self::Off,
            path => Self::Path(path.into()),
        })
    }
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    /// Others may write there, or it is theirs.
    #[error("{} {why}; nobody else may be able to put a socket there", .path.display())]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The kernel takes no path that long.
    #[error("{} is {} bytes long, and a socket's path has at most {PATH_MAX}", .0.display(), .0.as_os_str().len())]
    TooLong(PathBuf),
    /// Something else is there.
    #[error("{} is there already{why}", .path.display())]
    Taken {
        /// Where.
        path: PathBuf,
        /// What it is.
        why: &'static str,
    },
    /// The system says no.
    #[error("cannot open {}: {error}", .path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl PlaceError {
    fn refused(path: &Path, error: io::Error) -> Self {
        Self::Refused {
            path: path.to_owned(),
            error,
        }
    }
}

/// A socket at its place. Removed when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    socket: PathBuf,
    /// Device and number of it: what is there later may be another's.
    identity: (u64, u64),
    /// The folder, if it was made for sockets only.
    folder: Option<PathBuf>,
}

impl Place {
    /// Opens the socket of this process; `None`: there is to be none.
    ///
    /// # Errors
    /// [`PlaceError`]; nothing is left then.
    pub(super) fn open(wanted: &Where) -> Result<Option<(Listener, Self)>, PlaceError> {
        match wanted {
            Where::Off => Ok(None),
            Where::Path(path) => Self::at(path, None).map(Some),
            Where::Auto => Self::of_own().map(Some),
        }
    }

    fn of_own() -> Result<(Listener, Self), PlaceError> {
        let name = format!("{}.sock", std::process::id());
        let mut last = None;
        for folder in folders() {
            let path = folder.join(&name);
            for _ in 0..TRIES {
                let made = make(&folder).and_then(|()| {
                    sweep(&folder);
                    Self::at(&path, Some(&folder))
                });
                match made {
                    Ok(made) => return Ok(made),
                    // Another run has ended, and has taken the folder along.
                    Err(PlaceError::Refused { error, .. })
                        if error.kind() == ErrorKind::NotFound
                            && folder.parent().is_some_and(Path::exists) =>
                    {
                        last = Some(PlaceError::refused(&path, error));
                    }
                    Err(error) => {
                        last = Some(error);
                        break;
                    }
                }
            }
        }
        Err(last.expect("there is always the folder of temporary files"))
    }

    fn at(path: &Path, folder: Option<&Path>) -> Result<(Listener, Self), PlaceError> {
        let refused = |error| PlaceError::refused(path, error);
        // Under its own name only when somebody listens on it.
        let half = path.with_file_name(format!(".{}.new", std::process::id()));
        for path in [path, &half] {
            if path.as_os_str().as_bytes().len() > PATH_MAX {
                return Err(PlaceError::TooLong(path.to_owned()));
            }
        }
        // Of an earlier process with our pid.
        remove_if_dead(&half);
        let name = half
            .as_path()
            .to_fs_name::<GenericFilePath>()
            .map_err(refused)?;
        let listener = ListenerOptions::new()
            .name(name)
            .mode(0o600)
            .reclaim_name(false)
            .create_sync()
            .map_err(refused)?;
        let seen = fs::symlink_metadata(&half).map_err(refused);
        let linked = seen.and_then(|seen| {
            publish(&half, path)?;
            Ok(identity(&seen))
        });
        // Left behind it would be removed by the next run.
        let _left = fs::remove_file(&half);
        let place = Self {
            socket: path.to_owned(),
            identity: linked?,
            folder: folder.map(Path::to_owned),
        };
        Ok((listener, place))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let ours =
            fs::symlink_metadata(&self.socket).is_ok_and(|seen| identity(&seen) == self.identity);
        if ours {
            // Gone already is gone.
            let _gone = fs::remove_file(&self.socket);
        }
        if let Some(folder) = &self.folder {
            // Not while another run is in it.
            let _in_use = fs::remove_dir(folder);
        }
    }
}

/// Gives the socket its name, which no other living one has.
fn publish(half: &Path, path: &Path) -> Result<(), PlaceError> {
    let taken = |why| PlaceError::Taken {
        path: path.to_owned(),
        why,
    };
    match fs::symlink_metadata(path) {
        Ok(there) if !there.file_type().is_socket() => return Err(taken(", and is no socket")),
        Ok(_) if !remove_if_dead(path) => return Err(taken(": another run has it")),
        Ok(_) | Err(_) => {}
    }
    // A link, unlike a renaming, never replaces what another has put there in between.
    fs::hard_link(half, path).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(": another run has it"),
        _ => PlaceError::refused(path, error),
    })
}

/// A run that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) pid: u32,
    pub(crate) path: PathBuf,
}

/// The runs of this user, by their pids, and the folders that could not be looked at. What dead ones have left is removed.
pub(crate) fn runs() -> (Vec<Run>, Vec<PlaceError>) {
    let mut found = Vec::new();
    let mut refused = Vec::new();
    for folder in folders() {
        match check(&folder) {
            Ok(()) => found.extend(sweep(&folder)),
            Err(PlaceError::Refused { error, .. }) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => refused.push(error),
        }
    }
    found.sort_by_key(|run| run.pid);
    (found, refused)
}

/// Where sockets may be, the best place first.
fn folders() -> Vec<PathBuf> {
    let uid = geteuid().as_raw();
    let of_session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let of_session = of_session.filter(|folder| {
        // What others can write to is not what its name says.
        let kept = |seen: Metadata| seen.is_dir() && seen.uid() == uid && seen.mode() & 0o022 == 0;
        folder.is_absolute() && fs::metadata(folder).is_ok_and(kept)
    });
    let of_session = of_session.map(|folder| folder.join("farm"));
    let of_everybody = std::env::temp_dir().join(format!("farm-{uid}"));
    of_session.into_iter().chain([of_everybody]).collect()
}

/// Makes a folder of ours alone, or sees that it is one.
fn make(folder: &Path) -> Result<(), PlaceError> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(PlaceError::refused(folder, error)),
    }
    check(folder)
}

/// Whether a folder is ours alone. In a folder of everybody's anybody may have made it before us.
fn check(folder: &Path) -> Result<(), PlaceError> {
    let seen = fs::symlink_metadata(folder).map_err(|error| PlaceError::refused(folder, error))?;
    let not_ours = |why: String| {
        Err(PlaceError::NotOurs {
            path: folder.to_owned(),
            why,
        })
    };
    let (owner, own) = (seen.uid(), geteuid().as_raw());
    let mode = seen.mode() & 0o777;
    if !seen.is_dir() {
        not_ours("is no folder".to_owned())
    } else if owner != own {
        not_ours(format!("belongs to user {owner}"))
    } else if mode & 0o077 != 0 {
        not_ours(format!("has mode {mode:03o}, not 700"))
    } else {
        Ok(())
    }
}

/// The runs whose sockets are in a folder; the sockets of dead ones are removed.
fn sweep(folder: &Path) -> Vec<Run> {
    let mut living = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.take(NAMES_MAX) {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let path = entry.path();
        let whole = name.strip_suffix(".sock").and_then(|pid| pid.parse().ok());
        if let Some(pid) = whole {
            if !remove_if_dead(&path) {
                living.push(Run { pid, path });
            }
        } else if name.starts_with('.') && name.ends_with(".new") && is_old(&path) {
            remove_if_dead(&path);
        }
    }
    living
}

fn is_old(path: &Path) -> bool {
    let made = fs::symlink_metadata(path).and_then(|seen| seen.modified());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > HALF_MADE))
}

/// Whether there is no socket with a listener at `path`. A dead one is removed, unless another has come meanwhile.
fn remove_if_dead(path: &Path) -> bool {
    let Ok(before) = fs::symlink_metadata(path) else {
        return true;
    };
    if !before.file_type().is_socket() || before.uid() != geteuid().as_raw() {
        return false;
    }
    match connect(path, AT_ONCE) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return true,
        Ok(_) | Err(_) => return false,
    }
    let same = fs::symlink_metadata(path).is_ok_and(|now| identity(&now) == identity(&before));
    // Whoever else has removed it has done the same.
    let _removed = !same || fs::remove_file(path).is_ok();
    same
}

fn identity(seen: &Metadata) -> (u64, u64) {
    (seen.dev(), seen.ino())
}
