//! Options of `mm-query serve`.

use super::SiteOptions;
use crate::serve::log::Level;
use clap::{Args, ValueEnum};
use std::ffi::OsString;

/// `serve`
#[derive(Debug, Args)]
pub(in crate::cli) struct Serve {
    /// Where to listen: a path, or inet:ADDRESS:PORT; may be given several times [default: the
    /// sockets that systemd hands over, else /run/mm-query/socket]
    #[arg(long, value_name = "ADDRESS")]
    pub(in crate::cli) listen: Vec<OsString>,
    /// Listen at other addresses than loopback, too. There is no encryption and no password
    #[arg(long)]
    pub(in crate::cli) allow_remote: bool,
    /// Permission bits of a socket's file
    #[arg(long, value_name = "OCTAL", default_value = "0660", value_parser = octal)]
    pub(in crate::cli) socket_mode: u32,
    /// Owner and group of a socket's file: USER, USER:GROUP or :GROUP
    #[arg(long, value_name = "OWNER")]
    pub(in crate::cli) socket_owner: Option<String>,
    /// Only these users may ask through Unix sockets; names or numbers
    #[arg(long, value_name = "USER")]
    pub(in crate::cli) allow_user: Vec<String>,
    /// Users whose group is one of these may ask, too
    #[arg(long, value_name = "GROUP")]
    pub(in crate::cli) allow_group: Vec<String>,
    /// Memory for lists, in bytes or with K, M or G behind; the least recently used ones go
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size)]
    pub(in crate::cli) cache_size: usize,
    /// Threads that take connections [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) threads: Option<u16>,
    /// Threads that read lists and judge whole messages [default: one for each processor, two at
    /// least]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) workers: Option<u16>,
    /// Connections at once; beyond, the one that idles longest has to go
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(in crate::cli) connections: u32,
    /// What is logged
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LevelName::Info)]
    pub(in crate::cli) log: LevelName,
    /// Log to the system's log instead of standard error
    #[arg(long)]
    pub(in crate::cli) syslog: bool,
    /// Print the counters of the daemon that runs, and exit
    #[arg(long, conflicts_with = "metrics")]
    pub(in crate::cli) status: bool,
    /// Print them in Prometheus' text format
    #[arg(long)]
    pub(in crate::cli) metrics: bool,
    /// Where the files are.
    #[command(flatten)]
    pub(in crate::cli) site: SiteOptions,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LevelName {
    /// what does not work
    Error,
    /// and what an administrator should look at
    Warning,
    /// and beginning, end, reloads
    Notice,
    /// and each refusal
    Info,
    /// and each request that is none
    Debug,
}

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Level {
        match name {
            LevelName::Error => Level::Error,
            LevelName::Warning => Level::Warning,
            LevelName::Notice => Level::Notice,
            LevelName::Info => Level::Info,
            LevelName::Debug => Level::Debug,
        }
    }
}

fn octal(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o777 => Ok(mode),
        _ => Err("no permission bits".into()),
    }
}

fn size(text: &str) -> Result<usize, String> {
    let (digits, factor) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(digits) if text.ends_with('K') => (digits, 1usize << 10),
        Some(digits) if text.ends_with('M') => (digits, 1 << 20),
        Some(digits) => (digits, 1 << 30),
        None => (text, 1),
    };
    let number = digits.parse::<usize>().ok();
    number.and_then(|n| n.checked_mul(factor)).ok_or_else(|| "no size".into())
}

pub(super) fn help_end() -> String {
    format!(
        "{}\nA SIGHUP reads mm_cfg.py again, a SIGTERM ends the daemon once it has answered whom it \
         listens to. docs/protocol.md tells how to ask it; `mm-query ask` does.\n\n\
         Examples:\n  \
         mm-query serve --listen=inet:127.0.0.1:4711\n  \
         mm-query serve --listen=/run/mm-query/socket --socket-owner=:Debian-exim\n  \
         mm-query serve --status\n",
        super::statuses()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_modes() {
        assert_eq!(size("256M"), Ok(256 << 20));
        assert_eq!(size("10"), Ok(10));
        assert_eq!(size("2G"), Ok(2 << 30));
        assert!(size("").is_err() && size("M").is_err() && size("99999999999G").is_err());
        assert_eq!(octal("0660"), Ok(0o660));
        assert!(octal("1777").is_err() && octal("x").is_err());
    }
}
