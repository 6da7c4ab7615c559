//! What Exim itself says: its version, and what its configuration comes to.

use crate::exim::about::{self, About};
use crate::process::{self, Limits, Ran};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where Exim is looked for, in this order.
pub const PROGRAMS: [&str; 6] = [
    "/usr/sbin/exim4",
    "/usr/sbin/exim",
    "/usr/local/sbin/exim",
    "/usr/exim/bin/exim",
    "/usr/local/exim/bin/exim",
    "/opt/exim/bin/exim",
];

/// Why Exim gave no answer.
#[derive(Debug)]
pub enum Error {
    /// It could not be run, or not to its end.
    Process(process::Error),
    /// It is no Exim, or does not say which.
    NoExim(PathBuf, String),
    /// It refuses the configuration; its own words.
    Configuration(String),
    /// It refuses to tell; its own words.
    Refused(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Process(error) => error.fmt(f),
            Error::NoExim(program, said) => {
                write!(f, "{} does not tell Exim's version: {said}", program.display())
            }
            Error::Configuration(said) => f.write_str(said),
            Error::Refused(said) => write!(f, "Exim does not tell: {said}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<process::Error> for Error {
    fn from(error: process::Error) -> Error {
        Error::Process(error)
    }
}

/// An Exim with its own configuration, or with another file.
#[derive(Debug, Clone)]
pub struct Exim {
    program: PathBuf,
    configuration: Option<PathBuf>,
}

impl Exim {
    /// The given program, else the first that is there.
    pub fn find(given: Option<&Path>) -> Option<Exim> {
        let program = match given {
            Some(program) => program.to_owned(),
            None => PROGRAMS.iter().map(PathBuf::from).find(|program| program.is_file())?,
        };
        Some(Exim { program, configuration: None })
    }

    /// The same Exim, reading this file instead of its own. Only root may choose one.
    pub fn reading(&self, configuration: &Path) -> Exim {
        Exim { program: self.program.clone(), configuration: Some(configuration.to_owned()) }
    }

    /// Its path.
    pub fn program(&self) -> &Path {
        &self.program
    }

    fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Result<Ran, Error> {
        let mut all: Vec<OsString> = Vec::new();
        if let Some(file) = &self.configuration {
            all.extend(["-C".into(), file.clone().into_os_string()]);
        }
        all.extend(args.iter().map(|arg| arg.as_ref().to_owned()));
        Ok(process::run(&self.program, &all, Limits::default())?)
    }

    /// Its version and its configuration file.
    ///
    /// # Errors
    /// [`Error`]; that it refuses its configuration is none.
    pub fn about(&self) -> Result<About, Error> {
        let ran = self.run(&["-bV"])?;
        about::parse(&ran.stdout)
            .ok_or_else(|| Error::NoExim(self.program.clone(), ran.complaint()))
    }

    /// Whether it takes the configuration. It reads all of it, but expands nothing.
    ///
    /// # Errors
    /// [`Error::Configuration`], or it cannot be run.
    pub fn check(&self) -> Result<(), Error> {
        let ran = self.run(&["-bV"])?;
        if ran.succeeded() {
            return Ok(());
        }
        let said = if ran.stderr.trim().is_empty() { ran.complaint() } else { ran.stderr };
        Err(Error::Configuration(said.trim().to_owned()))
    }

    /// The values of main options; those that this Exim does not have are left out. An option that
    /// is not set is empty.
    ///
    /// # Errors
    /// It cannot be run, or refuses its configuration.
    pub fn options(&self, names: &[&str]) -> Result<BTreeMap<String, String>, Error> {
        let args: Vec<&str> = ["-bP"].iter().chain(names).copied().collect();
        Ok(pairs(&self.told(&args)?))
    }

    /// The macros that are defined, with their values. Only root and Exim's administrators are
    /// told.
    ///
    /// # Errors
    /// As for [`Exim::options`]; also [`Error::Refused`].
    pub fn macros(&self) -> Result<BTreeMap<String, String>, Error> {
        Ok(pairs(&self.told(&["-bP", "macros"])?))
    }

    /// Whether there is a named list (`+name`) of domains, hosts, addresses or local parts.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn has_list(&self, name: &str) -> Result<bool, Error> {
        let ran = self.run(&["-bP", name])?;
        Ok(ran.succeeded() && ran.stdout.contains("list "))
    }

    /// The whole configuration, included files in their places, macros replaced.
    ///
    /// # Errors
    /// As for [`Exim::options`].
    pub fn configuration(&self) -> Result<String, Error> {
        self.told(&["-bP", "config"])
    }

    /// Expands strings, in which macros of the configuration are replaced first. Each becomes one
    /// line, or `Failed: ` and Exim's reason.
    ///
    /// # Errors
    /// As for [`Exim::options`]; also lines more or fewer than strings.
    pub fn expand(&self, strings: &[String]) -> Result<Vec<String>, Error> {
        if strings.is_empty() {
            return Ok(Vec::new());
        }
        let args: Vec<&str> =
            ["-be"].into_iter().chain(strings.iter().map(String::as_str)).collect();
        let ran = self.run(&args)?;
        let lines: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
        if lines.len() == strings.len() { Ok(lines) } else { Err(Error::Refused(ran.complaint())) }
    }

    fn told(&self, args: &[&str]) -> Result<String, Error> {
        let ran = self.run(args)?;
        if ran.succeeded() { Ok(ran.stdout) } else { Err(Error::Refused(ran.complaint())) }
    }
}

/// Lines of `name = value`, `name=value`; `no_name` for a flag that is off is left out.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_and_macros_are_read_as_exim_prints_them() {
        let told = pairs(
            "acl_smtp_rcpt = acl_check_rcpt\nacl_not_smtp = \nacl_x is not a known option\n\
             no_prdr_enable\nMAIN_LOCAL_DOMAINS=@:localhost\nA=b = c\n",
        );
        let expected = [
            ("A", "b = c"),
            ("MAIN_LOCAL_DOMAINS", "@:localhost"),
            ("acl_not_smtp", ""),
            ("acl_smtp_rcpt", "acl_check_rcpt"),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(told, BTreeMap::from(expected));
    }

    #[test]
    fn a_program_that_is_no_exim_is_said_so() {
        let other = Exim::find(Some(Path::new("/bin/echo"))).unwrap();
        assert!(matches!(other.about(), Err(Error::NoExim(..))));
        let none = Exim::find(Some(Path::new("/nonexistent/exim"))).unwrap();
        assert!(matches!(none.about(), Err(Error::Process(_))));
    }
}
