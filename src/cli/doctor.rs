//! `mm-query doctor`

use crate::accounts::{Accounts, Identity};
use crate::cli::args::Doctor;
use crate::cli::{Failure, Outcome, admin};
use crate::doctor::{self, Finding, State, daemon, exim, mailman, query, wrapper};
use crate::exit::Status;
use rustix::process::geteuid;

/// Looks at everything, in the order in which a query passes it.
pub(super) fn run(args: &Doctor) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let accounts = Accounts::read();
    let mut places = wrapper::Places::default();
    let becomes = wrapper::identity(&places, &accounts);
    let (mut findings, lists) = of_mailman(args, &accounts, becomes.as_ref());
    let (of_exim, facts) = exim::examine(args.exim.as_deref(), &accounts, lists.as_ref());
    if let Some(command) = facts.wrapper {
        places.wrapper = command;
    }
    let list = lists.as_ref().and_then(|lists| lists.read.first());
    let user = facts.user.as_ref();
    match &facts.socket {
        Some(socket) => {
            findings.extend(of_exim);
            findings.extend(daemon::examine(socket, user, list.map(|list| list.name.as_str())));
        }
        None => {
            findings.extend(wrapper::examine(&places, &accounts, user));
            findings.extend(of_exim);
            let ask = |list: &mailman::ReadList| {
                query::examine(&places.wrapper, user, &list.name, &facts.options)
            };
            findings.extend(list.map(ask));
        }
    }
    let ill = doctor::count(&findings, State::Problem) > 0;
    let stdout = if args.json { doctor::json(&findings) } else { doctor::page(&findings) };
    Ok(Outcome { status: ill.then_some(Status::Config), stdout, stderr: String::new() })
}

/// Mailman's files are looked at as who reads them for Exim.
fn of_mailman(
    args: &Doctor,
    accounts: &Accounts,
    becomes: Option<&Identity>,
) -> (Vec<Finding>, Option<mailman::Lists>) {
    let look = |who: &str| {
        mailman::examine(args.site.lists_dir.as_deref(), args.site.mm_cfg.as_deref(), who)
    };
    if let Some(identity) = becomes.filter(|_| geteuid().is_root())
        && let Ok(found) = identity.run(|| look(&identity.name))
    {
        return found;
    }
    look(&accounts.user_name(geteuid().as_raw()))
}
