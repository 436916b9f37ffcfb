//! What a program says of itself or of its input, asked once and waited for: its version, what a file needs.
//!
//! For what a tool must know before it has a farm. It has no limits.

use std::io;
use std::process::{Command, Stdio};

/// What a command says on its stdout, when it ends with 0. What is no UTF-8 is replaced.
///
/// # Errors
/// In words that name the program: it cannot be started, or it failed, and what it said on its stderr then.
pub fn said(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let program = command.get_program().display();
    // A folder that is not there gives the same error as a program that is not.
    let folder = command.get_current_dir().filter(|folder| !folder.is_dir());
    let output = output.map_err(|error| {
        let words = match folder {
            Some(folder) => format!(
                "cannot run `{program}` in `{}`: no such folder",
                folder.display()
            ),
            None => format!("cannot run `{program}`: {error}"),
        };
        io::Error::new(error.kind(), words)
    })?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        let words = format!("`{program}` ended with {}: {}", output.status, why.trim());
        return Err(io::Error::other(words));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    //! An answer, and the two ways to have none.
    use super::*;

    fn shell(line: &str) -> io::Result<String> {
        said(Command::new("sh").args(["-c", line]))
    }

    #[test]
    fn what_is_said_or_why_it_is_not() {
        assert_eq!(shell("echo 1.2; echo new >&2").expect("it ran"), "1.2\n");
        let error = shell("echo why >&2; exit 3").unwrap_err().to_string();
        assert_eq!(error, "`sh` ended with exit status: 3: why");
        let error = said(Command::new("sh").current_dir("/no/such/folder")).unwrap_err();
        let words = error.to_string();
        assert_eq!(
            words,
            "cannot run `sh` in `/no/such/folder`: no such folder"
        );
        let error = said(&mut Command::new("/no/such/program")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let words = error.to_string();
        assert!(
            words.starts_with("cannot run `/no/such/program`: "),
            "{words}"
        );
    }
}
