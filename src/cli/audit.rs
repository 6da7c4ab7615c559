//! `mm-query audit` and `mm-query harden`

use crate::audit::surroundings::{self, Exim as OurExim};
use crate::audit::{self, Finding, bans, harden, lists, settings};
use crate::cli::args::{Audit, Harden};
use crate::cli::which::{self, Failed};
use crate::cli::{Failure, Outcome, admin, ban, find_site};
use crate::exim::ask::Exim;
use crate::exim::verify;
use crate::exit::Status;
use crate::list::survey::Survey;
use crate::list::write::survey::State;
use crate::overview::patterns::{ADDRESS_SETTINGS, OTHER_SETTINGS};
use crate::python::Python;
use crate::python::literal::Literal;
use crate::site::Site;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Looks at everything.
pub(super) fn run(args: &Audit) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let site = find_site(&args.site)?;
    let (lists, failed) = survey(&site)?;
    let mut secret = [0; harden::SECRET_BYTES];
    fill(&mut secret)?;
    let mut findings = of_settings(&site, &lists, &harden::secret(secret));
    findings.extend(lists::findings(&lists));
    findings.extend(bans::findings(&lists));
    let failed: Vec<_> = failed.into_iter().map(|failed| (failed.list, failed.why)).collect();
    findings.extend(surroundings::files(&lists, &failed));
    findings.extend(of_locks(&site, args));
    findings.extend(surroundings::exim(&of_exim(args.exim.as_deref())));
    audit::sort(&mut findings);
    let stdout = if args.json { audit::json(&findings) } else { audit::page(&findings) };
    let status = audit::is_bad(&findings).then_some(Status::Config);
    Ok(Outcome { status, stdout, stderr: String::new() })
}

/// Reads all lists.
fn survey(site: &Site) -> Result<(Vec<Survey>, Vec<Failed>), Failure> {
    let keys: Vec<&str> = [&lists::KEYS[..], &ADDRESS_SETTINGS, &OTHER_SETTINGS].concat();
    let (names, mut failed) = which::find(site, &[])?;
    let (surveys, unread) = which::survey(site, &names, &keys);
    failed.extend(unread);
    Ok((surveys, failed))
}

/// The language that the site's pages are in.
fn site_language(site: &Site) -> Option<String> {
    match site.literal("DEFAULT_SERVER_LANGUAGE") {
        Ok(Some(Literal::Bytes(code))) => String::from_utf8(code).ok(),
        Ok(Some(Literal::Text(code))) => Some(code),
        _ => None,
    }
}

fn of_settings(site: &Site, surveys: &[Survey], fresh: &str) -> Vec<Finding> {
    let file = site.mm_cfg();
    // Others than the owner and the group of Mailman's programs.
    let readable = file.is_some_and(|file| file.metadata().is_ok_and(|it| it.mode() & 0o004 != 0));
    let port = !surveys.is_empty() && surveys.iter().all(|list| list.python == Python::Three);
    let languages = lists::languages(surveys, site_language(site));
    settings::findings(&settings::Facts {
        get: &|name| site.literal(name),
        file: &file.unwrap_or(Path::new("mm_cfg.py")).display().to_string(),
        broken: site.syntax_error().map(|error| error.line),
        readable,
        languages: &languages,
        python: if port { Python::Three } else { Python::Two },
        fresh,
    })
}

fn of_locks(site: &Site, args: &Audit) -> Option<Finding> {
    let found = ban::lock_dir(site, args.lock_dir.as_ref())
        .and_then(|dir| dir.survey().map_err(Failure::from));
    match found {
        Ok(locks) => {
            let stale = locks.into_iter().filter(|lock| lock.state != State::Live);
            let names: Vec<String> =
                stale.map(|lock| lock.file.to_string_lossy().into_owned()).collect();
            surroundings::locks(Ok(&names))
        }
        Err(Failure(_, why)) => surroundings::locks(Err(&format!("{why:#}"))),
    }
}

fn of_exim(program: Option<&Path>) -> OurExim {
    let Some(exim) = Exim::find(program) else { return OurExim::Absent };
    match exim.check().and_then(|()| verify::ask(&exim)) {
        Err(error) => OurExim::Unknown(error.to_string()),
        Ok(told) if !told.has_ours() => {
            OurExim::DoesNotAsk("the snippets are not in its configuration".into())
        }
        Ok(told) => match told.faults().into_iter().next() {
            Some(fault) => OurExim::DoesNotAsk(fault),
            None => OurExim::Asks,
        },
    }
}

/// Prints a part of `mm_cfg.py`.
pub(super) fn harden(args: &Harden) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let languages = if args.language.is_empty() {
        let site = find_site(&args.site)?;
        let (surveys, _) = survey(&site)?;
        lists::languages(&surveys, site_language(&site))
    } else {
        args.language.clone()
    };
    let mut secret = [0; harden::SECRET_BYTES];
    fill(&mut secret)?;
    // Numbers of questions are no secret: each is one byte of a buffer that is filled anew.
    let mut numbers = [0u8; 1];
    let mut failed = None;
    let mut random = || {
        failed = failed.take().or(fill(&mut numbers).err());
        numbers[0]
    };
    let stdout = harden::fragment(secret, &mut random, &languages);
    match failed {
        Some(failure) => Err(failure),
        None => Ok(Outcome { status: None, stdout, stderr: String::new() }),
    }
}

/// Random bytes of the kernel, all of them.
fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    let flags = rustix::rand::GetRandomFlags::empty();
    match rustix::rand::getrandom(&mut *bytes, flags) {
        Ok(count) if count == bytes.len() => Ok(()),
        Ok(_) => Err(Failure::new(Status::TryAgain, "the kernel has no random bytes yet")),
        Err(error) => Err(Failure::new(Status::TryAgain, format!("no random bytes: {error}"))),
    }
}
