//! What is around the lists: files that could not be read, locks, Exim.

use super::Severity::{High, Low, Medium};
use super::{Finding, named};
use crate::list::survey::Survey;

/// Lists that Mailman reads from the copy before, and lists that nobody can read.
pub fn files(lists: &[Survey], failed: &[(String, String)]) -> Vec<Finding> {
    let fell_back = lists.iter().filter(|list| list.fell_back);
    let names: Vec<&str> = fell_back.map(|list| list.name.as_str()).collect();
    let mut found = Vec::new();
    if !names.is_empty() {
        let text =
            format!("config.pck is damaged or gone, and config.pck.last read: {}", named(&names));
        let why = "the changes since are lost, and one more damage loses the list";
        let remedy = "cp -p config.pck.last config.pck   (in the list's folder, Mailman stopped)";
        found.push(Finding::new(High, "files", text, why, remedy));
    }
    for (name, why) in failed {
        let text = format!("{name} could not be read: {why}");
        let remedy = "restore config.pck, or run this as root";
        found.push(Finding::new(High, "files", text, "it was not looked at", remedy));
    }
    found
}

/// Locks that nobody holds; or why there is nothing known of locks.
pub fn locks(stale: Result<&[String], &str>) -> Option<Finding> {
    match stale {
        Ok([]) => None,
        Ok(names) => {
            let text = format!("stale locks: {}", named(names));
            let why = "Mailman waits for each up to its lifetime, hours at times";
            let remedy = "mm-query locks --remove-stale";
            Some(Finding::new(Medium, "locks", text, why, remedy))
        }
        Err(why) => {
            let text = format!("locks were not looked at: {why}");
            Some(Finding::new(Low, "locks", text, "there may be stale ones", "mm-query locks"))
        }
    }
}

/// What is known of Exim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exim {
    /// There is none on this machine.
    Absent,
    /// The snippets are in its configuration and work.
    Asks,
    /// They are not, or do not; why.
    DoesNotAsk(String),
    /// Not looked at; why.
    Unknown(String),
}

/// Exim's part.
pub fn exim(exim: &Exim) -> Option<Finding> {
    let setup = "mm-query exim-setup   (shows how; --install does it on Debian)";
    match exim {
        Exim::Absent | Exim::Asks => None,
        Exim::DoesNotAsk(why) => {
            let text = format!("Exim does not ask mm-query: {why}");
            let why = "posts that Mailman rejects are bounced, mostly to forged senders";
            Some(Finding::new(Medium, "exim", text, why, setup))
        }
        Exim::Unknown(why) => {
            let text = format!("Exim's configuration was not looked at: {why}");
            let why = "the snippets may not be active";
            Some(Finding::new(Low, "exim", text, why, "run this as root"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_order_is_no_finding() {
        assert_eq!(files(&[], &[]), []);
        assert_eq!((locks(Ok(&[])), exim(&Exim::Asks), exim(&Exim::Absent)), (None, None, None));
    }

    #[test]
    fn what_is_not_is_one() {
        let failed = [("team".to_owned(), "cut off".to_owned())];
        assert_eq!(files(&[], &failed)[0].text, "team could not be read: cut off");
        assert!(locks(Ok(&["team.lock".to_owned()])).unwrap().text.ends_with("team.lock"));
        assert_eq!(locks(Err("no folder")).unwrap().severity, Low);
        assert_eq!(exim(&Exim::DoesNotAsk("x".into())).unwrap().severity, Medium);
        assert_eq!(exim(&Exim::Unknown("x".into())).unwrap().severity, Low);
    }
}
