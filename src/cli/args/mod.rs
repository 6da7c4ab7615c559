//! The command line: parsed here, and nowhere else. A file for each command's options.

mod ask;
mod audit;
mod ban;
mod banned;
mod doctor;
mod exim_setup;
mod list_domain;
mod lists;
mod locks;
mod members;
mod serve;
mod show;
mod subscriptions;
mod test_message;
mod test_sender;
mod test_subscribe;

pub(super) use ask::Ask;
pub(super) use audit::{Audit, Harden};
pub(super) use ban::{Ban, ChangeBans, Unban};
pub(super) use banned::Banned;
pub(super) use doctor::Doctor;
pub(super) use exim_setup::{EximSetup, LayoutName, NoAnswer};
pub(super) use list_domain::ListDomain;
pub(super) use lists::{Lists, SortBy};
pub(super) use locks::Locks;
pub(super) use members::Members;
pub(super) use serve::Serve;
pub(super) use show::Show;
pub(super) use subscriptions::{GroupBy, Subscriptions};
pub(super) use test_message::TestMessage;
pub(super) use test_sender::TestSender;
pub(super) use test_subscribe::TestSubscribe;

use crate::answer::Policy;
use crate::exit::Status;
use crate::report::Style;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// May this message be posted to this Mailman 2.1 list?
#[derive(Debug, Parser)]
#[command(
    name = "mm-query",
    version,
    about = "Asks a Mailman 2.1 list's own files whether a message may be posted to it",
    long_about = "Asks a Mailman 2.1 list's own files whether a message may be posted to it, so \
                  that Exim can refuse the message while its sender is still connected. It reads \
                  the list's config.pck, applies Mailman's own rules, and answers by its exit \
                  status and a text for the sender. Its queries change nothing; ban and unban, for \
                  administrators, change lists' ban_list alone.",
    after_help = help_end(),
    subcommand_required = true,
    arg_required_else_help = false,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

impl From<Query> for Cli {
    fn from(query: Query) -> Cli {
        Cli { command: Command::Query(query) }
    }
}

/// May this message be posted to this Mailman 2.1 list?
#[derive(Debug, Parser)]
#[command(
    name = "mm-query",
    bin_name = "mm-query",
    version,
    about = "Asks a Mailman 2.1 list's own files whether a message may be posted to it. This is the \
             program behind the wrapper, which has the queries only; /usr/bin/mm-query has all commands",
    after_help = help_end(),
    subcommand_required = true,
    arg_required_else_help = false,
    disable_help_subcommand = true
)]
pub(super) struct Queries {
    /// What to answer.
    #[command(subcommand)]
    pub(super) query: Query,
}

impl From<Query> for Queries {
    fn from(query: Query) -> Queries {
        Queries { query }
    }
}

/// Parses a command line, the program's name first.
///
/// # Errors
/// What is wrong with it, or the help that it asks for.
pub(super) fn parse<T: Parser + From<Query>>(args: &[OsString]) -> Result<T, clap::Error> {
    match query(args) {
        Some(query) => Ok(T::from(query)),
        None => T::try_parse_from(args),
    }
}

/// A query that is well put, parsed by the definition of its options alone: to define all commands
/// takes longer than to answer. Nothing where anything else is meant, or wrong.
fn query(args: &[OsString]) -> Option<Query> {
    match args.get(1)?.to_str()? {
        "test-sender" => Some(Query::TestSender(options(args)?)),
        "test-subscribe" => Some(Query::TestSubscribe(options(args)?)),
        "list-domain" => Some(Query::ListDomain(options(args)?)),
        _ => None,
    }
}

fn options<T: Args>(args: &[OsString]) -> Option<T> {
    let bare = clap::Command::new("mm-query").disable_help_flag(true).disable_version_flag(true);
    let matches = T::augment_args(bare).try_get_matches_from(args.get(1..)?).ok()?;
    T::from_arg_matches(&matches).ok()
}

/// What Exim asks, and people do.
#[derive(Debug, Subcommand)]
pub(super) enum Query {
    /// May a message with these senders be posted to LIST?
    #[command(
        name = "test-sender",
        after_help = test_sender::help_end(),
        long_about = "Judges a message by its senders, as Mailman's Moderate handler will: \
                      membership, moderation, and what the list does with nonmembers.\n\n\
                      Give the message's headers and envelope sender by the named options; \
                      Mailman's own order of senders then applies. Or give bare addresses: the \
                      post is permitted if any one of them alone could post. Empty addresses are \
                      ignored."
    )]
    TestSender(TestSender),
    /// May this message be posted to LIST?
    #[command(
        name = "test-message",
        after_help = test_message::help_end(),
        long_about = "Judges a whole message by all rules of Mailman's pipeline that can be known \
                      here: spam filters, approval, moderation, holds, content filtering, \
                      emergency and urgent posts."
    )]
    TestMessage(TestMessage),
    /// May ADDRESS subscribe to LIST?
    #[command(
        name = "test-subscribe",
        after_help = test_subscribe::help_end(),
        long_about = "Says what Mailman would do if ADDRESS asked to be subscribed to LIST, by mail \
                      or in the web form: whether it takes the address, whether it is a member or \
                      banned, and what the list's subscribe_policy asks for."
    )]
    TestSubscribe(TestSubscribe),
    /// Print the domain of LIST, or check that DOMAIN is it.
    #[command(
        name = "list-domain",
        after_help = list_domain::help_end(),
        long_about = "Prints the domain (host_name) of LIST. With DOMAIN it also checks that this \
                      is the list's domain, ASCII case aside, and exits with 1 if it is not."
    )]
    ListDomain(ListDomain),
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// What Exim asks.
    #[command(flatten)]
    Query(Query),
    /// Answer questions over a socket, for busy servers.
    #[command(
        after_help = serve::help_end(),
        long_about = "Answers the same questions as the other commands over a socket, and keeps \
                      lists in memory. Run it as Mailman's user, best by systemd with the unit \
                      files that come with it."
    )]
    Serve(Serve),
    /// Ask a daemon whether a message with these senders may be posted to LIST.
    #[command(
        after_help = ask::help_end(),
        long_about = "Asks a daemon (mm-query serve) what test-sender would answer: same options, \
                      same exit statuses."
    )]
    Ask(Ask),
    /// Show how to set Exim up, or do it on Debian.
    #[command(
        name = "exim-setup",
        after_help = exim_setup::help_end(),
        long_about = "Prints, for the Exim found on this machine, which files to put where and what \
                      to add, so that Exim asks mm-query. It changes nothing.\n\n\
                      With --install (Debian, as root) it writes these files, having checked in a \
                      private copy that Exim takes the configuration and that the snippets work in \
                      it, and runs update-exim4.conf; should anything fail, all is as before. Only \
                      files that it wrote itself are ever changed or removed, and no conffile is \
                      touched. Doing it again changes nothing, or what is new."
    )]
    EximSetup(EximSetup),
    /// Check this machine's installation; best as root.
    #[command(
        name = "doctor",
        after_help = doctor::help_end(),
        long_about = "Looks at Mailman's lists and settings, the wrapper and its files, Exim and \
                      the snippets in its configuration, and asks a question as Exim does. Each \
                      finding says what to do. It changes nothing. Run it as root: others cannot \
                      look at everything."
    )]
    Doctor(Doctor),
    /// List all lists, with their members and policies.
    #[command(
        after_help = lists::help_end(),
        long_about = "Prints a line for each list: its domain, how many members it has and how many \
                      of them get digests, who may post, what a subscription needs, who is \
                      moderated, when the last post was (UTC), and how large its file is."
    )]
    Lists(Lists),
    /// Show one list's policy as a page.
    #[command(
        after_help = show::help_end(),
        long_about = "Prints who may post to LIST, who is held, refused or discarded, and with what \
                      text; what a subscription needs; and every pattern of the list's settings, \
                      with what Mailman's Python makes of it."
    )]
    Show(Show),
    /// Say whether addresses are members of LIST.
    #[command(
        after_help = members::help_end(),
        long_about = "Looks addresses up among the members of LIST, as Mailman does for a post: \
                      without regard to case, and in all domains that the list takes as one \
                      (equivalent_domains). Says who is moderated, who gets digests or no mail, \
                      and whose mail bounces."
    )]
    Members(Members),
    /// Ban an address or a pattern from lists.
    #[command(
        after_help = ban::help_end("ban"),
        override_usage = "mm-query ban <ADDRESS|REGEX> <--all|--list <LIST>...> [OPTIONS]",
        long_about = "Puts an entry in the ban lists of lists, so that who it matches cannot \
                      subscribe. This and unban are the only commands that change a list. They \
                      change its ban_list alone, under Mailman's own lock, and leave the file \
                      before as config.pck.last. Run them as root, or as Mailman's user.\n\n\
                      Patterns are searched for without regard to case, by the rules of the \
                      Python that runs the list's Mailman; one that is invalid there is refused. \
                      What would ban members of a list is refused unless --force is given."
    )]
    Ban(Ban),
    /// Take an address or a pattern out of lists' ban lists.
    #[command(
        after_help = ban::help_end("unban"),
        override_usage = "mm-query unban <ADDRESS|REGEX> <--all|--list <LIST>...> [OPTIONS]",
        long_about = "Takes an entry out of the ban lists of lists, as ban puts it in. An address \
                      is compared as Mailman compares it, without regard to case; a pattern as it \
                      stands."
    )]
    Unban(Unban),
    /// Say which lists ban ADDRESS, and by which entry.
    #[command(
        after_help = banned::help_end(),
        override_usage = "mm-query banned <ADDRESS> [--list <LIST>...] [OPTIONS]",
        long_about = "Looks ADDRESS up in the ban lists of lists and in the site's \
                      GLOBAL_BAN_LIST, as Mailman does when somebody subscribes."
    )]
    Banned(Banned),
    /// Look for what invites abuse in this site.
    #[command(
        after_help = audit::help_end(),
        long_about = "Looks at the site's settings, at all lists, at locks and at Exim for what invites \
                      abuse, worst first, each with the reason and with what to write. What could not \
                      be looked at is said. It changes nothing. Run it as root: others cannot look at \
                      Exim's configuration."
    )]
    Audit(Audit),
    /// Print settings that protect the subscription form, for mm_cfg.py.
    #[command(
        after_help = audit::harden_help_end(),
        long_about = "Prints a part of mm_cfg.py for Mailman 2.1.30 or later: a fresh random \
                      SUBSCRIBE_FORM_SECRET, SUBSCRIBE_FORM_MIN_TIME, and CAPTCHAS in the languages of \
                      the site's lists. It changes nothing: read it, and put it in yourself."
    )]
    Harden(Harden),
    /// Report on Mailman's log of subscriptions.
    #[command(
        after_help = subscriptions::help_end(),
        long_about = "Reads Mailman's log `subscribe`, and older ones beside it, compressed or not: who \
                      asked to be subscribed, from where, to which lists, and when. It marks sources \
                      that subscribe many addresses, and addresses that are subscribed to many lists, \
                      within an hour.\n\n\
                      Lines that cannot be read are counted and shown. A subscriber's name may hold \
                      line ends, and so whole lines: records right behind a line that breaks off are \
                      counted, too, and said to be doubtful. So is where a request came from: behind a \
                      proxy it is what the client's own header says."
    )]
    Subscriptions(Subscriptions),
    /// Show Mailman's locks, and remove stale ones.
    #[command(after_help = locks::help_end())]
    Locks(Locks),
}

impl Command {
    /// Whether it is for people at a shell, who wait as long as it takes. Exim does not.
    pub(super) fn is_for_people(&self) -> bool {
        match self {
            Command::Query(_) | Command::Ask(_) => false,
            Command::EximSetup(_)
            | Command::Serve(_)
            | Command::Doctor(_)
            | Command::Ban(_)
            | Command::Unban(_)
            | Command::Banned(_)
            | Command::Audit(_)
            | Command::Harden(_)
            | Command::Lists(_)
            | Command::Show(_)
            | Command::Members(_)
            | Command::Subscriptions(_)
            | Command::Locks(_) => true,
        }
    }
}

/// Where Mailman's locks are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Site")]
pub(super) struct LockOptions {
    /// Mailman's directory of locks [default: as /etc/mm-query.toml or mm_cfg.py says, else locks
    /// beside the lists, else /var/lock/mailman]
    #[arg(long, value_name = "DIR")]
    pub(super) lock_dir: Option<PathBuf>,
}

/// Where Mailman's files are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Site")]
pub(super) struct SiteOptions {
    /// The directory that holds a directory for each list [default: as /etc/mm-query.toml says,
    /// else the first known layout: /var/lib/mailman, /usr/local/mailman,
    /// /usr/local/cpanel/3rdparty/mailman]
    #[arg(long, value_name = "DIR")]
    pub(super) lists_dir: Option<PathBuf>,
    /// Mailman's site settings; read, never run [default: beside the lists]
    #[arg(long, value_name = "FILE")]
    pub(super) mm_cfg: Option<PathBuf>,
}

/// How the answer to a question about a post is wanted.
#[derive(Debug, Args)]
pub(super) struct AnswerOptions {
    /// What a hold for the moderators means for the exit status
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Meaning::Permit)]
    pub(super) held: Meaning,
    /// What a silent discard means for the exit status
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Meaning::Refuse)]
    pub(super) discarded: Meaning,
    /// Print the verdict as one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// Print what was checked, for a person
    #[arg(long, conflicts_with = "json")]
    pub(super) explain: bool,
    /// Leave texts in UTF-8 instead of making them ASCII
    #[arg(long)]
    pub(super) utf8: bool,
}

impl AnswerOptions {
    /// What holds and discards mean to the caller.
    pub(super) fn policy(&self) -> Policy {
        Policy {
            refuse_held: self.held == Meaning::Refuse,
            refuse_discarded: self.discarded == Meaning::Refuse,
        }
    }

    /// How the verdict is wanted.
    pub(super) fn style(&self) -> Style {
        let (json, explain, utf8) = (self.json, self.explain, self.utf8);
        Style { policy: self.policy(), json, explain, utf8 }
    }
}

/// For the help pages of those questions.
const VERDICTS: &str = "Verdicts: accept, hold, reject, discard, undecided (Mailman would fail on \
    the message, or it cannot be known here). Accept and undecided permit; a reject refuses; \
    --held and --discarded say what the others do.\n\n\
    When the post is refused, the text for its sender goes to standard output, ready for an SMTP \
    reply: lines parted by LF, under 4,000 bytes, no control characters, plain ASCII unless --utf8 \
    is given. When it is permitted, nothing is printed.";

/// Whether a verdict lets the message in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Meaning {
    /// exit status 0
    Permit,
    /// exit status 1
    Refuse,
}

fn statuses() -> String {
    format!("Exit status:\n{}", Status::table())
}

fn help_end() -> String {
    format!(
        "{}\nOnly 1 is a refusal. An error never is: take the message, or ask the sender to try \
         again.\n\nExamples:\n  \
         mm-query test-sender team alice@example.org\n  \
         mm-query test-sender team --from='Alice <alice@example.org>' --envelope-from= --explain\n  \
         mm-query list-domain team lists.example.org\n",
        statuses()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_parsed_as_with_all_commands() {
        let good = [
            "test-sender team a@b.example",
            "test-sender team --base64 --envelope-from= --from=YQ== --reply-to= --sender=",
            "test-sender team --base64 --from=-x --approved --held=refuse --utf8 --json",
            "test-sender --lists-dir=/x team -- -y@b.example",
            "test-subscribe --json team a@b.example",
            "list-domain team@lists.example.org lists.example.org",
        ];
        for line in good {
            let args: Vec<OsString> =
                ["mm-query"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            let quick = query(&args).unwrap_or_else(|| panic!("{line}"));
            let whole = Cli::try_parse_from(&args).unwrap();
            assert_eq!(format!("Query({quick:?})"), format!("{:?}", whole.command), "{line}");
            let queries = Queries::try_parse_from(&args).unwrap();
            assert_eq!(format!("{quick:?}"), format!("{:?}", queries.query), "{line}");
        }
        for line in [
            "",
            "--help",
            "test-sender",
            "test-sender --help",
            "test-sender -V",
            "test-sender team --from=x a@b.example",
            "test-sender team --json --explain",
            "test-sender team --nonsense",
            "list-domain",
            "help test-sender",
            "lists",
        ] {
            let words = line.split(' ').filter(|word| !word.is_empty());
            let args: Vec<OsString> =
                ["mm-query"].into_iter().chain(words).map(OsString::from).collect();
            assert!(query(&args).is_none(), "{line}");
        }
    }
}
