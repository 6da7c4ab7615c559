//! The daemon that an Exim asks: ours, or one that gives the answers it is told to.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::checker;
use crate::server::account;

const PATIENCE: Duration = Duration::from_secs(60);

/// Where a daemon listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Socket {
    /// On loopback TCP.
    Tcp,
    /// At a Unix socket that somebody else holds, as systemd does.
    Held,
}

/// Our daemon, which can be killed and started again at the same address.
pub(crate) struct Daemon {
    program: PathBuf,
    /// Its options but for the address.
    options: Vec<String>,
    address: Address,
    child: Option<Child>,
}

enum Address {
    Tcp(SocketAddr),
    Held(PathBuf, UnixListener),
}

impl Daemon {
    /// Installs `mm-query` below `directory` and starts it there, as Mailman's user.
    pub(crate) fn start(socket: Socket, directory: &Path, lists: &Path) -> Daemon {
        let program = checker::install_program(directory);
        let address = match socket {
            Socket::Tcp => {
                let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
                Address::Tcp(free.local_addr().unwrap())
            }
            Socket::Held => {
                let path = directory.join("socket");
                let listener = UnixListener::bind(&path).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
                Address::Held(path, listener)
            }
        };
        let mut options =
            vec![format!("--lists-dir={}", lists.display()), "--log=warning".to_owned()];
        let mm_cfg = directory.join("mm_cfg.py");
        if mm_cfg.exists() {
            options.push(format!("--mm-cfg={}", mm_cfg.display()));
        }
        let mut daemon = Daemon { program, options, address, child: None };
        daemon.run();
        daemon
    }

    /// What `MMQ_SOCKET` is.
    pub(crate) fn socket(&self) -> String {
        match &self.address {
            Address::Tcp(address) => format!("inet:127.0.0.1:{}", address.port()),
            Address::Held(path, _) => path.display().to_string(),
        }
    }

    /// The process, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it and waits until it answers.
    pub(crate) fn run(&mut self) {
        let mut child = self.spawn();
        let deadline = Instant::now() + PATIENCE;
        while !self.answers() {
            assert_eq!(child.try_wait().unwrap(), None, "the daemon has ended");
            assert!(Instant::now() < deadline, "the daemon does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child = Some(child);
    }

    fn answers(&self) -> bool {
        let ping = b"mm-query: 1\nquery: ping\n\n";
        let mut said = String::new();
        match &self.address {
            Address::Tcp(address) => {
                let Ok(mut stream) = TcpStream::connect(address) else { return false };
                stream.write_all(ping).is_ok() && stream.read_to_string(&mut said).is_ok()
            }
            Address::Held(path, _) => {
                let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.write_all(ping).is_ok() && stream.read_to_string(&mut said).is_ok()
            }
        };
        said.starts_with("accept\nmm-query")
    }

    fn spawn(&self) -> Child {
        let (uid, gid) = account("list").unwrap();
        let mut command = match &self.address {
            Address::Tcp(_) => {
                let mut command = Command::new(&self.program);
                command.args(["serve", "--listen"]).arg(self.socket()).stdin(Stdio::null());
                command
            }
            Address::Held(_, listener) => {
                // The shell puts it where systemd does. It knows descriptors of one digit only.
                let script = "exec 3<&0 </dev/null; LISTEN_FDS=1; LISTEN_PID=$$; \
                              export LISTEN_FDS LISTEN_PID; exec \"$0\" serve \"$@\"";
                let mut command = Command::new("/bin/sh");
                command.arg("-c").arg(script).arg(&self.program);
                command.stdin(OwnedFd::from(listener.try_clone().unwrap()));
                command
            }
        };
        command
            .args(&self.options)
            .env_clear()
            .uid(uid)
            .gid(gid)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the daemon starts")
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and waits for its end.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let pid = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A daemon that reads a question and says the same to each client; nothing of ours.
pub(crate) struct Canned {
    port: u16,
    questions: std::sync::mpsc::Receiver<Vec<u8>>,
}

impl Canned {
    /// Starts it. `None`: it never says anything, and keeps its clients waiting.
    pub(crate) fn start(answer: Option<Vec<u8>>) -> Canned {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (send, questions) = std::sync::mpsc::channel();
        // Ends with the process of the tests.
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut question = Vec::new();
                let _ = stream.read_to_end(&mut question);
                let _ = send.send(question);
                match &answer {
                    Some(answer) => drop(stream.write_all(answer)),
                    None => kept.push(stream),
                }
            }
        });
        Canned { port, questions }
    }

    /// What `MMQ_SOCKET` is.
    pub(crate) fn socket(&self) -> String {
        format!("inet:127.0.0.1:{}", self.port)
    }

    /// The questions so far.
    pub(crate) fn questions(&self) -> Vec<Vec<u8>> {
        self.questions.try_iter().collect()
    }
}
