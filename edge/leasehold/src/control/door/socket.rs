//! The control socket in the file system.
//!
//! It is bound under another name, given its permissions, and moved to where it is looked for when
//! it is ready: so nobody ever meets it with other permissions. What a dead program has left there is
//! replaced; a socket that answers, or anything that is no socket, is not touched.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The program's own user and group may speak to it.
const MODE: u32 = 0o660;

/// A socket that listens, and is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    listener: UnixListener,
    /// Device and inode: what stands at the path later may be another program's.
    identity: (u64, u64),
}

impl ControlSocket {
    /// Listens at a path.
    pub(crate) fn bind(path: &Path) -> anyhow::Result<Self> {
        refuse_to_replace(path)?;
        let unfinished = path.with_file_name(format!(".{}", std::process::id()));
        let bound = Self::move_in(path, &unfinished);
        if bound.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        bound.with_context(|| format!("cannot listen for commands on {}", path.display()))
    }

    fn move_in(path: &Path, unfinished: &Path) -> io::Result<Self> {
        match fs::remove_file(unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(unfinished)?;
        listener.set_nonblocking(true)?;
        fs::set_permissions(unfinished, Permissions::from_mode(MODE))?;
        let identity = identity(&fs::symlink_metadata(unfinished)?);
        fs::rename(unfinished, path)?;
        Ok(Self { path: path.to_owned(), listener, identity })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What accepts.
    pub(super) fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let own = fs::symlink_metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity);
        if own {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Only a socket that nobody listens on may be replaced.
fn refuse_to_replace(path: &Path) -> anyhow::Result<()> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.with_context(|| format!("cannot look at {}", path.display()))?,
    };
    if !found.file_type().is_socket() {
        bail!("{} is in the way of the control socket, and no socket", path.display());
    }
    match UnixStream::connect(path) {
        Ok(_) => bail!("another program listens for commands on {}", path.display()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) => Err(error).with_context(|| format!("cannot tell who listens on {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_for_user_and_group_and_gone_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        let socket = ControlSocket::bind(&path).unwrap();
        assert_eq!(fs::symlink_metadata(&path).unwrap().mode() & 0o777, 0o660);
        UnixStream::connect(&path).unwrap();
        drop(socket);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_dead_program_has_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        drop(UnixListener::bind(&path).unwrap());
        let socket = ControlSocket::bind(&path).unwrap();
        UnixStream::connect(&path).unwrap();
        drop(socket);
    }

    #[test]
    fn a_socket_that_answers_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        let first = ControlSocket::bind(&path).unwrap();
        let error = ControlSocket::bind(&path).unwrap_err().to_string();
        assert!(error.contains("another program"), "{error}");
        UnixStream::connect(first.path()).unwrap();
    }

    #[test]
    fn a_file_in_the_way_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        fs::write(&path, "precious").unwrap();
        assert!(ControlSocket::bind(&path).unwrap_err().to_string().contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_successor_s_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control");
        let first = ControlSocket::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = ControlSocket::bind(&path).unwrap();
        drop(first);
        UnixStream::connect(second.path()).unwrap();
    }
}
