//! `mm-query serve`

use crate::accounts::Accounts;
use crate::cli::args::Serve;
use crate::cli::{Failure, Outcome, find_site};
use crate::exit::Status;
use crate::serve::allowed::Allowed;
use crate::serve::client::{self, DEFAULT};
use crate::serve::daemon::{self, Options};
use crate::serve::listen::{Address, FileOptions};
use std::ffi::OsStr;

/// Runs the daemon to its end, or asks the one that runs.
pub(super) fn run(args: &Serve) -> Result<Outcome, Failure> {
    let addresses = addresses(args)?;
    if args.status || args.metrics {
        let default = Address::Unix(DEFAULT.into());
        let address = addresses.first().unwrap_or(&default);
        return ask(address, if args.metrics { "metrics" } else { "status" });
    }
    let processors = std::thread::available_parallelism().map_or(1, |n| n.get());
    let accounts = Accounts::read();
    let options = Options {
        addresses: match addresses.is_empty() && std::env::var_os("LISTEN_FDS").is_none() {
            true => vec![Address::Unix(DEFAULT.into())],
            false => addresses,
        },
        file: file_options(args, &accounts)?,
        allowed: allowed(args, &accounts)?,
        cache_bytes: args.cache_size,
        threads: args.threads.map_or(processors, usize::from),
        workers: args.workers.map_or(processors.max(2), usize::from),
        connections: usize::try_from(args.connections).unwrap_or(usize::MAX),
        level: args.log.into(),
        syslog: args.syslog,
    };
    let site = find_site(&args.site)?;
    match daemon::run(site, options) {
        Ok(()) => Ok(Outcome::default()),
        Err((status, why)) => Err(Failure::new(status, why)),
    }
}

fn addresses(args: &Serve) -> Result<Vec<Address>, Failure> {
    let usage = |why| Failure::new(Status::Usage, format!("--listen: {why}"));
    let mut found = Vec::new();
    for text in &args.listen {
        let address = Address::parse(text).map_err(usage)?;
        let remote = matches!(&address, Address::Inet(at) if !at.ip().is_loopback());
        if remote && !args.allow_remote {
            return Err(usage(format!("{address} is not loopback; --allow-remote allows it")));
        }
        found.push(address);
    }
    Ok(found)
}

fn file_options(args: &Serve, accounts: &Accounts) -> Result<FileOptions, Failure> {
    let mut options = FileOptions { mode: args.socket_mode, ..FileOptions::default() };
    if let Some(owner) = &args.socket_owner {
        let (user, group) = owner.split_once(':').unwrap_or((owner, ""));
        if !user.is_empty() {
            options.uid = Some(uid("--socket-owner", user, accounts)?);
        }
        if !group.is_empty() {
            options.gid = Some(gid("--socket-owner", group, accounts)?);
        }
    }
    Ok(options)
}

fn allowed(args: &Serve, accounts: &Accounts) -> Result<Allowed, Failure> {
    let uids = args.allow_user.iter().map(|user| uid("--allow-user", user, accounts));
    let gids = args.allow_group.iter().map(|group| gid("--allow-group", group, accounts));
    Ok(Allowed { uids: uids.collect::<Result<_, _>>()?, gids: gids.collect::<Result<_, _>>()? })
}

fn uid(option: &str, user: &str, accounts: &Accounts) -> Result<u32, Failure> {
    let known = accounts.user(user).map(|user| user.uid).or_else(|| user.parse().ok());
    known.ok_or_else(|| Failure::new(Status::Usage, format!("{option}: no such user: {user}")))
}

fn gid(option: &str, group: &str, accounts: &Accounts) -> Result<u32, Failure> {
    let no_such = || Failure::new(Status::Usage, format!("{option}: no such group: {group}"));
    accounts.group(group).ok_or_else(no_such)
}

fn ask(address: &Address, query: &str) -> Result<Outcome, Failure> {
    let request = format!("mm-query: 1\nquery: {query}\n\n");
    let answer = client::ask(address, request.as_bytes())
        .map_err(|e| Failure::new(Status::TryAgain, format!("no daemon at {address}: {e}")))?;
    if let Some((code, why)) = answer.error() {
        return Err(Failure::new(Status::of_code(code), why));
    }
    Ok(Outcome { stdout: answer.text, ..Outcome::default() })
}

/// Where a daemon is asked.
pub(super) fn address(text: &OsStr) -> Result<Address, Failure> {
    Address::parse(text).map_err(|why| Failure::new(Status::Usage, format!("--socket: {why}")))
}
