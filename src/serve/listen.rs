//! Where the daemon listens: sockets of its own, or those that systemd hands over.

use rustix::net::{AddressFamily, SocketType};
use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Connections that may wait to be taken; the kernel's own limit may be lower.
const BACKLOG: i32 = 4096;

/// An address to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A path.
    Unix(PathBuf),
    /// An IP address and a port.
    Inet(SocketAddr),
}

impl Address {
    /// `inet:ADDRESS:PORT`, else a path.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse(text: &std::ffi::OsStr) -> std::result::Result<Address, String> {
        match text.to_str().and_then(|text| text.strip_prefix("inet:")) {
            Some(address) => match address.parse() {
                Ok(address) => Ok(Address::Inet(address)),
                Err(_) => Err(format!("no IP address and port: {address}")),
            },
            None if Path::new(text).is_absolute() => Ok(Address::Unix(text.into())),
            None => Err("neither inet:ADDRESS:PORT nor an absolute path".into()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "{}", path.display()),
            Address::Inet(address) => write!(f, "inet:{address}"),
        }
    }
}

/// Who owns a socket's file, and who may connect to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// Permission bits.
    pub mode: u32,
    /// The owner's id; as it is made, if not given.
    pub uid: Option<u32>,
    /// The group's id; likewise.
    pub gid: Option<u32>,
}

/// A socket that is listened at.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    /// It has clients on this machine, of whom the kernel says who they are.
    pub is_unix: bool,
    /// Its file, if we made it.
    path: Option<PathBuf>,
    /// Another process has it, too, and it stays when we end.
    pub is_inherited: bool,
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Listener {
    /// Listens at an address.
    ///
    /// # Errors
    /// It cannot be had.
    pub fn open(address: &Address, options: &FileOptions) -> Result<Listener> {
        match address {
            Address::Inet(address) => Listener::new(TcpListener::bind(address)?.into(), None),
            Address::Unix(path) => {
                let socket = bind(path, options)?;
                Listener::new(socket.into(), Some(path.clone()))
            }
        }
    }

    fn new(socket: OwnedFd, path: Option<PathBuf>) -> Result<Listener> {
        let family = rustix::net::sockopt::socket_domain(&socket)?;
        let listens = rustix::net::sockopt::socket_type(&socket)? == SocketType::STREAM
            && rustix::net::sockopt::socket_acceptconn(&socket)?;
        if !listens {
            return Err(Error::new(ErrorKind::InvalidInput, "not a listening stream socket"));
        }
        rustix::net::listen(&socket, BACKLOG)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(Listener { socket, is_unix: family == AddressFamily::UNIX, path, is_inherited: false })
    }

    /// The sockets that systemd hands over (`LISTEN_FDS`, `LISTEN_PID`).
    ///
    /// # Errors
    /// One of them is no listening socket.
    pub fn inherited() -> Result<Vec<Listener>> {
        let mut handed = listenfd::ListenFd::from_env();
        let mut found = Vec::new();
        for index in 0..handed.len() {
            // Each try gives the socket back if it is of the other kind.
            let socket: OwnedFd = match handed.take_unix_listener(index) {
                Ok(Some(socket)) => socket.into(),
                Ok(None) => continue,
                Err(_) => match handed.take_tcp_listener(index)? {
                    Some(socket) => socket.into(),
                    None => continue,
                },
            };
            found.push(Listener { is_inherited: true, ..Listener::new(socket, None)? });
        }
        Ok(found)
    }

    /// The directory of its file, if we made it.
    pub fn directory(&self) -> Option<&Path> {
        self.path.as_deref().and_then(Path::parent)
    }

    /// Takes its file away, so that clients see that nobody listens. Who has connected by then is
    /// still taken.
    pub fn remove(&self) {
        if let Some(path) = &self.path {
            let _ = rustix::fs::unlinkat(rustix::fs::CWD, path, rustix::fs::AtFlags::empty());
        }
    }
}

/// Listens at a path. It gets its name only when it listens with the right owner and mode, in one
/// step with the end of a file that a killed daemon has left there.
fn bind(path: &Path, options: &FileOptions) -> Result<UnixListener> {
    match std::fs::symlink_metadata(path) {
        Ok(about) if !about.file_type().is_socket() => {
            return Err(Error::new(ErrorKind::AlreadyExists, "there is a file that is no socket"));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(Error::new(ErrorKind::AddrInUse, "another daemon listens there"));
        }
        _ => {}
    }
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let socket = UnixListener::bind(&beside)?;
    let done = set_owner(&beside, options).and_then(|()| std::fs::rename(&beside, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    done.map(|()| socket)
}

fn set_owner(path: &Path, options: &FileOptions) -> Result<()> {
    if options.uid.is_some() || options.gid.is_some() {
        chown(path, options.uid, options.gid)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(options.mode))
}
