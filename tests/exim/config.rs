//! The configuration of a private Exim: our snippets within a small site.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

use crate::checker::Checker;
use crate::daemon::{Canned, Socket};

/// How Exim asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By running the program.
    Program,
    /// By asking the daemon.
    Daemon(Socket),
}

thread_local! {
    static WAY: Cell<Way> = const { Cell::new(Way::Program) };
}

/// Runs a test so that [`Site::new`] asks this way.
pub(crate) fn asking(way: Way, test: fn()) {
    WAY.set(way);
    test();
    WAY.set(Way::Program);
}

/// The same tests once more, in a module of their own, asking the daemon at such a socket.
macro_rules! by_daemon {
    ($socket:ident: $($test:ident)*) => {
        mod by_daemon {
            use crate::config::{Way, asking};
            use crate::daemon::Socket;
            $(#[test] fn $test() { asking(Way::Daemon(Socket::$socket), super::$test); })*
        }
    };
}
pub(crate) use by_daemon;

/// What a test wants of its Exim.
pub(crate) struct Site {
    /// Macros of ours, set as an administrator would.
    pub(crate) macros: Vec<(&'static str, String)>,
    /// What stands at the wrapper's place.
    pub(crate) checker: Checker,
    /// The program, or the daemon.
    pub(crate) way: Way,
    /// The lists, if they are not the site's own copy.
    pub(crate) lists: Option<PathBuf>,
    /// Further lines of the main section.
    pub(crate) main: &'static str,
    /// Whether the test provokes an entry in Exim's paniclog.
    pub(crate) may_panic: bool,
}

impl Site {
    /// The snippets as they come, and the real program or daemon.
    pub(crate) fn new() -> Site {
        Site {
            macros: Vec::new(),
            checker: Checker::Program,
            way: WAY.get(),
            lists: None,
            main: "",
            may_panic: false,
        }
    }

    /// With a shell script in the wrapper's place.
    pub(crate) fn with_script(script: &str) -> Site {
        let checker = Checker::Script(script.to_owned());
        Site { checker, way: Way::Program, ..Site::new() }
    }

    /// With a daemon that gives these answers.
    pub(crate) fn with_daemon(daemon: &Canned) -> Site {
        let site = Site { checker: Checker::Missing, way: Way::Program, ..Site::new() };
        site.set("MMQ_SOCKET", &daemon.socket())
    }

    /// With a macro defined above our file.
    pub(crate) fn set(mut self, name: &'static str, value: &str) -> Site {
        self.macros.push((name, value.to_owned()));
        self
    }

    /// With lines added to the main section.
    pub(crate) fn main(mut self, lines: &'static str) -> Site {
        self.main = lines;
        self
    }
}

/// The repository's own files.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The snippets, copied below `directory`, since Exim's user may not see the repository.
pub(crate) fn install_snippets(directory: &Path) -> PathBuf {
    let target = directory.join("snippets");
    fs::create_dir_all(&target).unwrap();
    for name in ["macros", "acl"] {
        fs::copy(repository().join("exim-snippets").join(name), target.join(name)).unwrap();
    }
    target
}

/// Writes `exim.conf` below `directory` and returns its path.
pub(crate) fn write(
    site: &Site,
    directory: &Path,
    wrapper: &Path,
    socket: Option<&str>,
    host: &str,
) -> PathBuf {
    let snippets = install_snippets(directory);
    let lists = site.lists.clone().unwrap_or_else(|| directory.join("lists"));
    let mut defined = format!("MMQ_LISTS = {}\n", lists.display());
    defined.push_str(&format!("MMQ_WRAPPER = {}\n", wrapper.display()));
    if let Some(socket) = socket {
        defined.push_str(&format!("MMQ_SOCKET = {socket}\n"));
    }
    for (name, value) in &site.macros {
        defined.push_str(&format!("{name} = {value}\n"));
    }
    let text = TEMPLATE
        .replace("@DEFINED@", &defined)
        .replace("@SNIPPETS@", &snippets.display().to_string())
        .replace("@MAIN@", site.main)
        .replace("@HOST@", host)
        .replace("@DIR@", &directory.display().to_string());
    let path = directory.join("exim.conf");
    fs::write(&path, text).unwrap();
    path
}

/// A site with recipients of every kind: `unknown*` are refused and `later*` put off by the
/// site's own policy; all others are delivered into one file.
const TEMPLATE: &str = r"
@DEFINED@
.include @SNIPPETS@/macros
primary_hostname = @HOST@
qualify_domain = example.org
spool_directory = @DIR@/spool
log_file_path = @DIR@/log/%slog
pid_file_path = @DIR@/exim.pid
local_interfaces = 127.0.0.1
tls_advertise_hosts =
keep_environment =
strict_acl_vars = true
smtp_accept_queue_per_connection = 0
deliver_drop_privilege = true
domainlist mailman_domains = lists.example.org
acl_smtp_rcpt = mmq_rcpt
acl_smtp_data = mmq_data
@MAIN@

begin acl
acl_check_rcpt:
  deny    local_parts = ^unknown
          message     = 550 5.1.1 No such user here
  defer   local_parts = ^later
          message     = 451 4.7.1 Greylisted
  accept
acl_check_data:
  deny    condition   = ${if def:h_X-Site:}
          message     = 550 5.7.0 The site itself refuses this
  accept
acl_check_prdr:
  deny    local_parts = ^site-refuses
  accept
.include @SNIPPETS@/acl

begin routers
everyone:
  driver = accept
  transport = file

begin transports
file:
  driver = appendfile
  file = @DIR@/mail/all
  envelope_to_add
  return_path_add
  user = Debian-exim
  group = Debian-exim

begin retry
*  *  F,2h,1s

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{secret}}
  server_set_id = $auth2
";
