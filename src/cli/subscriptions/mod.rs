//! `mm-query subscriptions`

mod logs;
mod report;

use crate::cli::args::Subscriptions;
use crate::cli::progress::Progress;
use crate::cli::{Failure, Outcome, admin, find_site};
use crate::exit::Status;
use crate::process;
use crate::subscriptions::chart;
use crate::subscriptions::moment::{self, Moment};
use crate::subscriptions::tally::Tally;
use report::Report;
use std::path::{Path, PathBuf};

/// The program that knows the time zone.
const DATE: &str = "/bin/date";

/// Reads the logs, and reports.
pub(super) fn run(args: &Subscriptions) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let since = args.since.as_deref().map(since).transpose()?;
    let files = match args.logs.as_slice() {
        [] => find(args)?,
        named => named.to_vec(),
    };
    let mut tally = Tally::since(since);
    let (mut status, mut stderr) = (None, String::new());
    let progress = Progress::new(files.len());
    for file in &files {
        progress.step(&file.display().to_string());
        if let Err(error) = logs::read(file, &mut tally) {
            status = Some(Status::NoInput);
            let what = format!("cannot read {}: {error}", file.display());
            stderr += &format!("mm-query: {}\n", crate::answer::one_line(&what));
        }
    }
    drop(progress);
    if let Some(file) = &args.svg {
        draw(&tally, file)?;
    }
    let report = Report::new(&tally, files.len(), args.by, args.top as usize);
    let stdout = if args.json { report.json() } else { report.text() };
    Ok(Outcome { status, stdout, stderr })
}

fn find(args: &Subscriptions) -> Result<Vec<PathBuf>, Failure> {
    let dir = find_site(&args.site)?.log_dir()?;
    let found = logs::find(&dir).map_err(|error| {
        Failure::new(Status::NoInput, format!("cannot read {}: {error}", dir.display()))
    })?;
    if found.is_empty() {
        let why = format!("no log called subscribe in {}: name the files", dir.display());
        return Err(Failure::new(Status::NoInput, why));
    }
    Ok(found)
}

fn draw(tally: &Tally, file: &Path) -> Result<(), Failure> {
    let (unit, bars) = chart::bars(tally, chart::MOST_DRAWN);
    std::fs::write(file, chart::svg(unit, &bars)).map_err(|error| {
        Failure::new(Status::Output, format!("cannot write {}: {error}", file.display()))
    })
}

/// A moment, or a span before now.
fn since(text: &str) -> Result<Moment, Failure> {
    if let Some(moment) = moment::of_text(text) {
        return Ok(moment);
    }
    let Some(span) = moment::of_span(text) else {
        let why = format!("--since={text}: neither a time (2026-11-20) nor a span (24h)");
        return Err(Failure::new(Status::Usage, why));
    };
    let now = process::run(Path::new(DATE), &["+%Y-%m-%d %H:%M:%S"], process::Limits::default());
    let now = now.ok().and_then(|ran| moment::of_text(ran.stdout.trim()));
    let now = now.ok_or_else(|| Failure::new(Status::Internal, "what time is it? date failed"))?;
    Ok(now.saturating_sub(span))
}
