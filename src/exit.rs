//! The exit statuses: the one table behind the code, `--help` and the README.

use std::process::ExitCode;

/// How a run ended. Nothing else ever leaves the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Permitted, or answered.
    Permitted,
    /// Refused, or not the list's domain.
    Refused,
    /// The command line is wrong (`EX_USAGE`).
    Usage,
    /// The list's data cannot be read as such (`EX_DATAERR`).
    Data,
    /// No lists directory, or not readable (`EX_NOINPUT`).
    NoInput,
    /// No such list (`EX_NOUSER`).
    NoList,
    /// A defect of this program (`EX_SOFTWARE`).
    Internal,
    /// The answer, or a list, could not be written (`EX_IOERR`).
    Output,
    /// A passing trouble (`EX_TEMPFAIL`).
    TryAgain,
    /// The caller may not do this (`EX_NOPERM`).
    NotAllowed,
    /// Misconfigured or mis-installed (`EX_CONFIG`).
    Config,
}

impl Status {
    /// All of them, in the order of their codes.
    pub const ALL: [Status; 11] = [
        Status::Permitted,
        Status::Refused,
        Status::Usage,
        Status::Data,
        Status::NoInput,
        Status::NoList,
        Status::Internal,
        Status::Output,
        Status::TryAgain,
        Status::NotAllowed,
        Status::Config,
    ];

    /// The number that the shell and Exim see.
    pub const fn code(self) -> u8 {
        match self {
            Status::Permitted => 0,
            Status::Refused => 1,
            Status::Usage => 64,
            Status::Data => 65,
            Status::NoInput => 66,
            Status::NoList => 67,
            Status::Internal => 70,
            Status::Output => 74,
            Status::TryAgain => 75,
            Status::NotAllowed => 77,
            Status::Config => 78,
        }
    }

    /// The status with this number; an internal error if there is none.
    pub fn of_code(code: u8) -> Status {
        let known = Status::ALL.into_iter().find(|status| status.code() == code);
        known.unwrap_or(Status::Internal)
    }

    /// What it means, for `--help`.
    pub const fn meaning(self) -> &'static str {
        match self {
            Status::Permitted => "permitted; answered",
            Status::Refused => "refused; not the list's domain",
            Status::Usage => "wrong usage",
            Status::Data => "the list's data cannot be read as such",
            Status::NoInput => "no lists directory, or not readable",
            Status::NoList => "no such list",
            Status::Internal => "internal error",
            Status::Output => "the answer, or a list, could not be written",
            Status::TryAgain => "try again later",
            Status::NotAllowed => "the caller is not allowed",
            Status::Config => "misconfigured or mis-installed",
        }
    }

    /// The table as text, a line each.
    pub fn table() -> String {
        Status::ALL.iter().map(|s| format!("  {:>2}  {}\n", s.code(), s.meaning())).collect()
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> ExitCode {
        ExitCode::from(status.code())
    }
}
