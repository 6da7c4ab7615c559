//! A Debian machine of its own, as far as /etc, /usr, /var and /run go: a mount namespace in
//! which changes to these folders go to memory. All of it is gone with the last process in it.
//! `MMQ_TEST_ROOT` names the root of another release (`make test-matrix`).

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::config::repository;
use crate::server::{Exim, account, account_in, copy_lists, exim_binary, unique_host};

/// The folders whose changes stay private.
const PRIVATE: &str = "etc usr var run";

const SETTINGS: &str = "dc_eximconfig_configtype='local'
dc_other_hostnames='lists.example.org'
dc_local_interfaces='127.0.0.1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
";

/// The site's own router: all local addresses exist. Nothing is ever delivered.
const ROUTER: &str = "everyone:\n  driver = accept\n  domains = +local_domains\n  \
                      transport = mail_spool\n";

/// What Exim's files hold, with modes and owners.
pub(crate) type Snapshot = BTreeMap<PathBuf, (u32, u32, u32, Vec<u8>)>;

/// The namespace, kept by a process that waits.
pub(crate) struct Machine {
    keeper: Child,
    _scratch: TempDir,
    host: String,
}

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Run {
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Machine {
    /// A machine with lists, the wrapper and the program, on which Exim knows nothing of them.
    /// `None` when there can be none here, which CI does not allow.
    pub(crate) fn new(split: bool) -> Option<Machine> {
        let machine = Machine::without_programs(split)?;
        machine.install_programs();
        Some(machine)
    }

    /// The same without the wrapper and the program.
    pub(crate) fn without_programs(split: bool) -> Option<Machine> {
        exim_binary()?;
        let debian = Path::new("/usr/sbin/update-exim4.conf").exists();
        if std::env::var_os("MMQ_TEST_EXIM").is_some() || !debian {
            assert!(std::env::var_os("CI").is_none(), "this is not Debian's Exim");
            return None;
        }
        let machine = Machine::empty();
        machine.write_site(split);
        let lists = machine.path("/var/lib/mailman/lists");
        fs::create_dir_all(lists.parent().unwrap()).unwrap();
        copy_lists(&repository().join("tests/fixtures/lists"), &lists);
        machine.give_to_list(&lists);
        machine.update_exim_conf();
        Some(machine)
    }

    fn empty() -> Machine {
        let scratch = tempfile::Builder::new().prefix("mm-query-machine.").tempdir().unwrap();
        let script = format!(
            "set -e; R={}; S={}; mount -t tmpfs -o mode=755 tmpfs $S\n\
             for d in {PRIVATE}; do mkdir -p $S/$d/new $S/$d/work; L=$R/$d\n\
             mount -t overlay overlay -o lowerdir=$L,upperdir=$S/$d/new,workdir=$S/$d/work $L\n\
             done; [ -z \"$R\" ] || for d in dev proc sys; do mount --rbind /$d $R/$d; done\n\
             echo ready; read line",
            root(),
            scratch.path().display()
        );
        let mut keeper = Command::new("unshare")
            .args(["--mount", "/bin/sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare of util-linux");
        let mut line = String::new();
        BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "a mount namespace with overlay file systems");
        Machine { keeper, _scratch: scratch, host: unique_host() }
    }

    /// A path of the machine's, as it is reached from outside.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{}{path}", self.keeper.id(), root()))
    }

    /// Writes a file, with the folders around it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub(crate) fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A command that will run on the machine.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.keeper.id()));
        if !root().is_empty() {
            command.args(["/usr/sbin/chroot", &root()]);
        }
        command.arg(program);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").stdin(Stdio::null());
        command
    }

    /// Runs a command.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Run {
        self.command(program).args(args).output().unwrap().into()
    }

    /// The ids of one of the machine's users.
    pub(crate) fn account(&self, name: &str) -> (u32, u32) {
        account_in(&self.read("/etc/passwd"), name).unwrap_or_else(|| panic!("no user {name}"))
    }

    /// Runs a shell script, which must succeed.
    pub(crate) fn sh(&self, script: &str) -> String {
        let run = self.run("/bin/sh", &["-ec", script]);
        assert_eq!(run.code, Some(0), "{script}: {run:?}");
        run.stdout
    }

    /// Runs `mm-query`.
    pub(crate) fn mm_query(&self, args: &[&str]) -> Run {
        self.run("/usr/lib/mm-query/mm-query", args)
    }

    /// Lets Debian's generator make Exim's configuration.
    pub(crate) fn update_exim_conf(&self) {
        self.sh("update-exim4.conf");
    }

    /// What is in Exim's folder, and the configuration made from it.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.snapshot_of(&["/etc/exim4", "/var/lib/exim4"])
    }

    /// What is in these folders.
    pub(crate) fn snapshot_of(&self, roots: &[&str]) -> Snapshot {
        let mut files = Snapshot::new();
        for root in roots {
            let outside = self.path("");
            collect(&self.path(root), &outside, &mut files);
        }
        files
    }

    /// Starts the machine's Exim with its own configuration.
    pub(crate) fn start_exim(&self) -> Exim {
        let directory = tempfile::tempdir().unwrap();
        let logs = self.path("/var/log/exim4");
        std::os::unix::fs::symlink(logs, directory.path().join("log")).unwrap();
        let mut command = self.command("/usr/sbin/exim4");
        command.args(["-oP", "/run/exim4/exim.pid"]);
        Exim::launch_command(command, directory, &self.host, false)
    }

    fn write_site(&self, split: bool) {
        let choice = format!("dc_use_split_config='{split}'\n");
        self.write("/etc/exim4/update-exim4.conf.conf", &format!("{SETTINGS}{choice}"));
        let main = &format!(
            "primary_hostname = {}\nqueue_only = true\nstrict_acl_vars = true\n",
            self.host
        );
        // Exim names a socket after this folder, and there is but one of a name.
        let first = &format!("SPOOLDIR = /var/spool/{}\n", self.host);
        if split {
            self.write("/etc/exim4/conf.d/main/00_site", first);
            self.write("/etc/exim4/conf.d/main/95_site", main);
            self.write("/etc/exim4/conf.d/router/050_site", ROUTER);
        } else {
            let template = self.read("/etc/exim4/exim4.conf.template");
            assert_eq!(template.matches("\nbegin acl\n").count(), 1);
            assert_eq!(template.matches("\nbegin routers\n").count(), 1);
            let template = (first.clone() + &template)
                .replace("\nbegin acl\n", &format!("\n{main}begin acl\n"))
                .replace("\nbegin routers\n", &format!("\nbegin routers\n{ROUTER}"));
            self.write("/etc/exim4/exim4.conf.template", &template);
        }
    }

    fn install_programs(&self) {
        let folder = self.path("/usr/lib/mm-query");
        fs::create_dir(&folder).unwrap();
        let program = std::env::var_os("MMQ_TEST_PROGRAM")
            .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_mm-query")), PathBuf::from);
        fs::copy(program, folder.join("mm-query")).unwrap();
        fs::copy(wrapper(), folder.join("mm-query-wrapper")).unwrap();
        let ((uid, gid), (_, group)) = (account("list").unwrap(), account("Debian-exim").unwrap());
        chown(folder.join("mm-query-wrapper"), Some(0), Some(group)).unwrap();
        self.set_mode("/usr/lib/mm-query/mm-query-wrapper", 0o4750);
        self.write("/etc/mm-query/wrapper.conf", &format!("uid = {uid}\ngid = {gid}\n"));
    }

    /// Owners and modes as Mailman leaves them: files closed to others.
    fn give_to_list(&self, lists: &Path) {
        let (uid, gid) = self.account("list");
        for list in fs::read_dir(lists).unwrap().map(Result::unwrap) {
            for file in fs::read_dir(list.path()).unwrap().map(Result::unwrap) {
                chown(file.path(), Some(uid), Some(gid)).unwrap();
                fs::set_permissions(file.path(), fs::Permissions::from_mode(0o660)).unwrap();
            }
        }
    }
}

/// The root of another release, without a slash at its end; empty: this machine's own.
fn root() -> String {
    std::env::var("MMQ_TEST_ROOT").unwrap_or_default()
}

/// The wrapper with the paths that it has when it is installed.
fn wrapper() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrapper-as-installed");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--offline", "--package", "mm-query-wrapper"])
            .arg("--target-dir")
            .arg(&target)
            .current_dir(repository())
            .env_remove("MMQ_WRAPPER_CONF")
            .env_remove("MMQ_WRAPPER_PROGRAM")
            .env_remove("CARGO_BUILD_TARGET")
            .status()
            .unwrap();
        assert!(status.success());
        target.join("debug/mm-query-wrapper")
    })
}

fn collect(folder: &Path, outside: &Path, files: &mut Snapshot) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let about = path.symlink_metadata().unwrap();
        let inside = Path::new("/").join(path.strip_prefix(outside).unwrap());
        let bytes = if about.is_dir() {
            collect(&path, outside, files);
            Vec::new()
        } else if about.is_symlink() {
            fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).unwrap()
        };
        files.insert(inside, (about.mode(), about.uid(), about.gid(), bytes));
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
