//! What a worker program is: path, arguments, environment, folder. It knows no process and no pipe.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

/// A program that is started as a worker. The argument that says so, the launch, comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The executable. A path without a slash is looked up in `PATH`.
    pub path: PathBuf,
    /// What it is told to be called (`argv[0]`); `None`: its path.
    pub called: Option<OsString>,
    /// Its arguments, before the launch.
    pub args: Vec<OsString>,
    /// Its environment.
    pub env: EnvPolicy,
    /// Its working folder; `None`: the farm's own.
    pub cwd: Option<PathBuf>,
}

/// The environment of a worker: what is inherited, without what is removed, with what is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvPolicy {
    /// Which variables of the farm's own environment, as it is at each start of a worker.
    pub inherit: Inherit,
    /// Variables taken out of what is inherited.
    pub remove: Vec<OsString>,
    /// Variables with their values. Set last.
    pub set: Vec<(OsString, OsString)>,
}

/// Which variables a worker inherits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Inherit {
    /// All.
    #[default]
    All,
    /// None.
    Nothing,
    /// Only these, as far as they are there.
    Only(Vec<OsString>),
}

impl Program {
    /// The program at `path`, without arguments, with the farm's environment and folder.
    #[must_use]
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            called: None,
            args: Vec::new(),
            env: EnvPolicy::default(),
            cwd: None,
        }
    }

    /// The program that is running now. On Linux it stays the same program even if its file is
    /// replaced meanwhile: master and worker are always of one build.
    #[must_use]
    pub fn this_executable() -> Self {
        let own = std::env::current_exe().ok();
        if cfg!(target_os = "linux") {
            let mut program = Self::path("/proc/self/exe");
            // Otherwise a list of processes would show nothing but the name of the link.
            program.called = own.map(PathBuf::into_os_string);
            program
        } else {
            Self::path(own.unwrap_or_default())
        }
    }

    /// The same program with one more argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.args.push(argument.into());
        self
    }

    pub(crate) fn command(&self, launch: &str) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(called) = &self.called {
            command.arg0(called);
        }
        command.args(&self.args).arg(launch);
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        self.env.apply(&mut command);
        command
    }
}

impl EnvPolicy {
    /// Whether workers have a variable as the farm would have it.
    pub(crate) fn passes_on(&self, name: &str) -> bool {
        let inherits = match &self.inherit {
            Inherit::All => true,
            Inherit::Nothing => false,
            Inherit::Only(names) => names.iter().any(|only| only == name),
        };
        let removed = self.remove.iter().any(|removed| removed == name);
        inherits && !removed && !self.set.iter().any(|(set, _)| set == name)
    }

    /// Whether it says what is to be done with this variable.
    pub(crate) fn speaks_of(&self, name: &str) -> bool {
        let set = self.set.iter().map(|(name, _)| name);
        set.chain(&self.remove).any(|other| other == name)
    }

    fn apply(&self, command: &mut Command) {
        match &self.inherit {
            Inherit::All => {}
            Inherit::Nothing => {
                command.env_clear();
            }
            Inherit::Only(names) => {
                command.env_clear();
                for name in names {
                    if let Some(value) = std::env::var_os(name) {
                        command.env(name, value);
                    }
                }
            }
        }
        for name in &self.remove {
            command.env_remove(name);
        }
        for (name, value) in &self.set {
            command.env(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    //! The environment a program really gets, printed by the system's own `env`.
    use super::*;

    fn environment(policy: EnvPolicy) -> Vec<String> {
        let mut program = Program::path("/usr/bin/env");
        program.env = policy;
        let mut command = program.command("unused=launch");
        let output = command.output().expect("env runs");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines()
            .filter(|line| *line != "unused=launch")
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn inherit_remove_set() {
        let set = vec![("A".into(), "1".into()), ("B".into(), "2".into())];
        let nothing = EnvPolicy {
            inherit: Inherit::Nothing,
            set,
            ..EnvPolicy::default()
        };
        assert_eq!(environment(nothing.clone()), ["A=1", "B=2"]);

        // A removed variable that is also set is set: a policy may replace what it removes.
        let replaced = EnvPolicy {
            remove: vec!["A".into(), "C".into()],
            ..nothing
        };
        assert_eq!(environment(replaced), ["A=1", "B=2"]);

        let path = std::env::var("PATH").expect("tests have a PATH");
        let only = Inherit::Only(vec!["PATH".into(), "NOT_THERE_AT_ALL".into()]);
        let only = EnvPolicy {
            inherit: only,
            ..EnvPolicy::default()
        };
        assert_eq!(environment(only.clone()), [format!("PATH={path}")]);
        let removed = EnvPolicy {
            remove: vec!["PATH".into()],
            ..only
        };
        assert_eq!(environment(removed), [""; 0]);
        assert!(environment(EnvPolicy::default()).contains(&format!("PATH={path}")));
    }

    #[test]
    fn the_launch_comes_last() {
        let command = Program::path("x").arg("--worker").command("launch");
        let args: Vec<_> = command.get_args().collect();
        assert_eq!(args, ["--worker", "launch"]);
    }
}
