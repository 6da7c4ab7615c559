//! The program around the commands: arguments in, one exit status and two texts out.

mod admin;
mod args;
mod ask;
mod audit;
mod ban;
mod banned;
mod doctor;
mod exim_setup;
mod given;
mod list_domain;
mod lists;
mod locks;
mod members;
mod progress;
mod report;
mod serve;
mod show;
mod subscriptions;
mod table;
mod test_message;
mod test_sender;
mod test_subscribe;
mod which;
mod workers;

use crate::answer::one_line;
use crate::exit::Status;
use crate::list::store::{ListsDir, Loaded};
use crate::sandbox;
use crate::site::Site;
use args::{Cli, Command, Queries, Query};
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

/// A query that takes longer is given up: Exim would wait 60 s, then could only defer.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What a command leaves behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// For the exit status; `None` is 0.
    pub status: Option<Status>,
    /// For standard output.
    pub stdout: String,
    /// For standard error.
    pub stderr: String,
}

impl Outcome {
    fn error(status: Status, message: &str) -> Outcome {
        Outcome {
            status: Some(status),
            stdout: String::new(),
            stderr: format!("mm-query: {}\n", one_line(message)),
        }
    }
}

/// An error on its way to the exit status, with its words in the order of their causes.
#[derive(Debug)]
struct Failure(Status, anyhow::Error);

impl Failure {
    fn new(status: Status, message: impl Into<String>) -> Failure {
        Failure(status, anyhow::Error::msg(message.into()))
    }
}

impl From<crate::list::store::Error> for Failure {
    fn from(error: crate::list::store::Error) -> Failure {
        Failure(error.status(), error.into())
    }
}

impl From<crate::list::write::Error> for Failure {
    fn from(error: crate::list::write::Error) -> Failure {
        Failure(error.status(), error.into())
    }
}

impl From<crate::site::Error> for Failure {
    fn from(error: crate::site::Error) -> Failure {
        Failure(error.status(), error.into())
    }
}

/// How a query gives up what it does not need, once its lists directory is open. Returns what it
/// could not give up. ([`sandbox::enter`]; nothing where the process is not the query's own.)
type Enter = fn(&ListsDir) -> Vec<String>;

/// The site that the options name.
fn find_site(options: &args::SiteOptions) -> Result<Site, Failure> {
    Ok(Site::find(options.lists_dir.as_deref(), options.mm_cfg.as_deref())?)
}

/// The same for a query, which from here on can open and write nothing else; and what it could not
/// give up.
fn enter_site(options: &args::SiteOptions, enter: Enter) -> Result<(Site, Vec<String>), Failure> {
    let site = find_site(options)?;
    let gaps = enter(&site.lists);
    Ok((site, gaps))
}

/// Warnings about a list for standard error, unless they stand elsewhere or would mix with a text
/// for the sender.
fn warnings(list: &Loaded, quiet: bool) -> String {
    if quiet {
        return String::new();
    }
    list.warnings.iter().map(|w| format!("mm-query: warning: {}\n", one_line(w))).collect()
}

/// The definition of the command line, for manual pages and completions.
pub fn definition() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Runs the program.
pub fn main() -> ExitCode {
    program::<Cli>(|cli| cli.command.is_for_people(), |cli| obey(&cli.command, sandbox::enter))
}

/// Runs the program that has the queries only: nothing else of this library gets into it.
pub fn main_of_queries() -> ExitCode {
    program::<Queries>(|_| false, |queries| answer(&queries.query, sandbox::enter))
}

fn program<T: clap::Parser + From<Query>>(
    is_endless: fn(&T) -> bool,
    work: fn(&T) -> Result<Outcome, Failure>,
) -> ExitCode {
    // The default hook prints the panic's own text, which could hold anything of the input.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        write_stderr(&format!("mm-query: internal error at {place}\n"));
    }));
    let Ok(parsed) = catch_unwind(|| args::parse::<T>(&std::env::args_os().collect::<Vec<_>>()))
    else {
        return Status::Internal.into();
    };
    // What writes is never given up halfway.
    let endless = parsed.as_ref().is_ok_and(is_endless);
    // The wrapper keeps the time itself, and a second thread costs a query a tenth of its time.
    let timed = std::env::var_os("MMQ_TIMED").is_some();
    let limit = (!endless && !timed).then_some(TIME_LIMIT);
    supervise(limit, give_up, || finish(act(parsed, work))).into()
}

/// Ends the program from wherever it is.
#[allow(clippy::exit, reason = "the thread that waits is not the one that hangs")]
fn give_up() {
    write_stderr("mm-query: no answer in time\n");
    std::process::exit(i32::from(Status::TryAgain.code()));
}

/// Does the work so that neither a panic in it nor an endless wait (for a disk, or for whoever
/// should read the answer) decides how the program ends. The waiting is in the other thread: most
/// queries end before that one has even begun, and so do not wait for it.
fn supervise(
    limit: Option<Duration>,
    give_up: impl FnOnce() + Send + 'static,
    work: impl FnOnce() -> Status,
) -> Status {
    if let Some(limit) = limit {
        let watch = std::thread::Builder::new().spawn(move || {
            sandbox::enter_idle();
            std::thread::sleep(limit);
            give_up();
        });
        if watch.is_err() {
            write_stderr("mm-query: cannot start a thread\n");
            return Status::TryAgain;
        }
    }
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Status::Internal)
}

/// Runs one command line, the program's name first; prints nothing. This process may have other
/// work, so it gives nothing up.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Outcome {
    let parsed = args::parse::<Cli>(&args.into_iter().collect::<Vec<_>>());
    act(parsed, |cli| obey(&cli.command, |_| Vec::new()))
}

fn act<T>(
    parsed: Result<T, clap::Error>,
    work: impl FnOnce(&T) -> Result<Outcome, Failure>,
) -> Outcome {
    let result = match &parsed {
        Ok(parsed) => work(parsed),
        Err(error) => return no_command(error),
    };
    result.unwrap_or_else(|Failure(status, error)| Outcome::error(status, &format!("{error:#}")))
}

fn answer(query: &Query, enter: Enter) -> Result<Outcome, Failure> {
    match query {
        Query::TestSender(args) => test_sender::run(args, enter),
        Query::TestMessage(args) => test_message::run(args, enter),
        Query::TestSubscribe(args) => test_subscribe::run(args, enter),
        Query::ListDomain(args) => list_domain::run(args, enter),
    }
}

fn obey(command: &Command, enter: Enter) -> Result<Outcome, Failure> {
    match command {
        Command::Query(query) => answer(query, enter),
        Command::Ask(args) => ask::run(args, enter),
        Command::Serve(args) => serve::run(args),
        Command::EximSetup(args) => exim_setup::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Ban(args) => ban::run(&args.change, ban::Action::Ban { force: args.force }),
        Command::Unban(args) => ban::run(&args.change, ban::Action::Unban),
        Command::Banned(args) => banned::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Harden(args) => audit::harden(args),
        Command::Lists(args) => lists::run(args),
        Command::Show(args) => show::run(args),
        Command::Members(args) => members::run(args),
        Command::Subscriptions(args) => subscriptions::run(args),
        Command::Locks(args) => locks::run(args),
    }
}

/// `--help`, `--version`, and what is wrong with a command line.
fn no_command(error: &clap::Error) -> Outcome {
    let text = printable(&error.render().to_string());
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Outcome { stdout: text, ..Outcome::default() }
        }
        _ => Outcome { status: Some(Status::Usage), stdout: String::new(), stderr: text },
    }
}

/// The parser's message repeats arguments as they came.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// Writes what a command left behind. An answer that could not be written is none.
fn finish(outcome: Outcome) -> Status {
    let status = outcome.status.unwrap_or(Status::Permitted);
    if let Err(error) = write_stdout(outcome.stdout.as_bytes()) {
        write_stderr(&format!("mm-query: cannot write the answer: {error}\n"));
        return Status::Output;
    }
    write_stderr(&outcome.stderr);
    status
}

/// Written directly: std's handle buffers, and takes a bad descriptor for success.
fn write_stdout(mut text: &[u8]) -> Result<(), rustix::io::Errno> {
    let stdout = std::io::stdout();
    while !text.is_empty() {
        match rustix::io::write(&stdout, text) {
            Ok(0) => return Err(rustix::io::Errno::IO),
            Ok(n) => text = text.get(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Nobody is left to be told if this fails.
fn write_stderr(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_panic_is_an_internal_error() {
        let status = supervise(Some(TIME_LIMIT), || (), || panic!("a defect"));
        assert_eq!(status, Status::Internal);
    }

    #[test]
    fn the_time_limit_ends_endless_work() {
        let (sender, receiver) = mpsc::channel();
        let give_up = move || sender.send(()).unwrap();
        let status = supervise(Some(Duration::from_millis(1)), give_up, || {
            receiver.recv().unwrap();
            Status::Refused
        });
        assert_eq!(status, Status::Refused, "the work saw the time limit");
    }

    #[test]
    fn work_that_ends_decides() {
        assert_eq!(supervise(Some(TIME_LIMIT), || (), || Status::Refused), Status::Refused);
        assert_eq!(supervise(None, || (), || Status::Refused), Status::Refused);
    }
}
