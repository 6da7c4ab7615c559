//! Daemons to ask.

use mm_query::serve::client::{Answer, ask};
use mm_query::serve::listen::Address;
use mm_query::serve::log::{self, Level, Sink};
use mm_query::serve::service::{Handled, Service};
use mm_query::site::Site;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A daemon without sockets.
pub(crate) fn service(lists: &Path, mm_cfg: Option<&Path>) -> Service {
    let site = Site::find(Some(lists), mm_cfg).unwrap();
    let (log, _) = log::new(Sink::Stderr { journal: false }, Level::Error);
    Service::new(site, 64 << 20, log)
}

/// Its answer, at once or later.
pub(crate) fn answer(service: &Service, request: &[u8]) -> Answer {
    let reply = match service.handle(request) {
        Handled::Answered(reply) => reply,
        Handled::Later(request) => {
            let (reply, postponed) = service.answer(&request);
            service.keep(&postponed);
            reply
        }
    };
    let bytes = String::from_utf8(reply.bytes()).unwrap();
    let (word, text) = bytes.split_once('\n').unwrap();
    Answer { word: word.to_owned(), text: text.to_owned() }
}

/// A daemon that runs as a program of its own, on a copy of the sample lists.
pub(crate) struct Running {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) child: Child,
    pub(crate) stderr: Option<BufReader<ChildStderr>>,
    options: Vec<String>,
}

pub(crate) fn copy_lists(to: &Path) {
    for list in fixtures().join("lists").read_dir().unwrap() {
        let list = list.unwrap();
        let folder = to.join(list.file_name());
        std::fs::create_dir_all(&folder).unwrap();
        for file in list.path().read_dir().unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
}

impl Running {
    pub(crate) fn new(options: &[&str]) -> Running {
        let dir = tempfile::tempdir().unwrap();
        copy_lists(&dir.path().join("lists"));
        std::fs::write(dir.path().join("mm_cfg.py"), "from Defaults import *\n").unwrap();
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let child = spawn(dir.path(), &options);
        let mut running = Running { dir, child, stderr: None, options };
        running.await_start();
        running
    }

    fn await_start(&mut self) {
        self.stderr = self.child.stderr.take().map(BufReader::new);
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.ask("query: ping\n").is_err() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}: {}", self.line());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Another one in the place of one that has ended.
    pub(crate) fn restart(&mut self) {
        self.child.wait().unwrap();
        self.child = spawn(self.dir.path(), &self.options);
        self.await_start();
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    pub(crate) fn address(&self) -> Address {
        Address::Unix(self.socket())
    }

    /// The version goes before it, the empty line behind it.
    pub(crate) fn ask(&self, lines: &str) -> std::io::Result<Answer> {
        ask(&self.address(), format!("mm-query: 1\n{lines}\n").as_bytes())
    }

    pub(crate) fn sender(&self, list: &str, sender: &str) -> String {
        self.ask(&format!("query: test-sender\nlist: {list}\nfrom: {sender}\n")).unwrap().word
    }

    /// The next line of the log.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stderr.as_mut().expect("a log").read_line(&mut line).unwrap();
        line
    }

    /// The next line of the log that has this in it.
    pub(crate) fn line_with(&mut self, text: &str) -> String {
        loop {
            let line = self.line();
            assert!(!line.is_empty(), "the log ended without {text}");
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// How many descriptors it has open, and its resident memory in KiB.
    pub(crate) fn size(&self) -> (usize, u64) {
        let own = format!("/proc/{}", self.child.id());
        let descriptors = std::fs::read_dir(format!("{own}/fd")).unwrap().count();
        let status = std::fs::read_to_string(format!("{own}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        (descriptors, line.split_whitespace().nth(1).unwrap().parse().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mm-query"));
    command.arg("serve");
    command.arg(format!("--lists-dir={}", dir.join("lists").display()));
    command.arg(format!("--mm-cfg={}", dir.join("mm_cfg.py").display()));
    command.env_clear();
    command
}

fn spawn(dir: &Path, options: &[String]) -> Child {
    command(dir)
        .arg(format!("--listen={}", dir.join("socket").display()))
        .args(options)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}
