//! What is to change in Debian's folder: told from what is there and what should be.

use crate::exim::snippets::{self, Choices, Snippet};
use crate::exim::{localmacros, settings};
use crate::files::{self, Regular};
use crate::limits;
use std::path::{Path, PathBuf};

/// One file that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) path: PathBuf,
    pub(super) before: Option<Regular>,
    pub(super) after: Option<Regular>,
}

/// What stands at a place of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    Ours(Regular),
    /// Something that we did not write; what, for people.
    Foreign(String),
}

/// What is there.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) base: PathBuf,
    /// Our places, in the order in which they may be emptied.
    places: Vec<(PathBuf, Found)>,
    /// The site's file, followed if it is a link; empty if there is none.
    pub(super) localmacros: String,
    /// The same, unless it cannot be changed: then why.
    editable: Result<Option<Regular>, String>,
}

/// What should be there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) choices: Choices<'a>,
    /// A file of the site's own may get a block of ours.
    pub(super) edit_localmacros: bool,
}

fn look(path: &Path) -> Found {
    match files::read(path, limits::CONFIGURATION_BYTES) {
        Ok(None) => Found::Nothing,
        Ok(Some(file)) if std::str::from_utf8(&file.bytes).is_err() => {
            Found::Foreign("is not UTF-8".to_owned())
        }
        Ok(Some(file)) if snippets::is_ours(&file.text()) => Found::Ours(file),
        Ok(Some(_)) => Found::Foreign("was not written by exim-setup".to_owned()),
        Err(error) => Found::Foreign(error.to_string()),
    }
}

impl Tree {
    /// Looks at every place of ours below `base`.
    pub(super) fn look(base: &Path) -> Tree {
        let places = snippets::debian_places(base);
        let places = places.into_iter().map(|path| (path.clone(), look(&path))).collect();
        let path = base.join("exim4.conf.localmacros");
        let editable = files::read(&path, limits::CONFIGURATION_BYTES)
            .map_err(|error| error.to_string())
            // Its bytes are to stay as they are, and we handle text.
            .and_then(|file| match &file {
                Some(file) if std::str::from_utf8(&file.bytes).is_err() => {
                    Err("is not UTF-8".to_owned())
                }
                _ => Ok(file),
            })
            .map_err(|why| format!("{} {why}", path.display()));
        let localmacros = match &editable {
            Ok(file) => file.as_ref().map(Regular::text).unwrap_or_default(),
            Err(_) => {
                String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned()
            }
        };
        Tree { base: base.to_owned(), places, localmacros, editable }
    }

    /// The folder of what is included.
    pub(super) fn folder(&self) -> PathBuf {
        self.base.join("mm-query")
    }

    /// Whether anything of ours is there.
    pub(super) fn has_ours(&self) -> bool {
        let ours = self.places.iter().any(|(_, found)| matches!(found, Found::Ours(_)));
        ours || localmacros::without_block(&self.localmacros).is_some()
    }

    /// The settings of an earlier installation.
    pub(super) fn settings(&self) -> Option<String> {
        self.places.iter().find_map(|(path, found)| match found {
            Found::Ours(file) if path.ends_with("mm-query/settings") => Some(file.text()),
            _ => None,
        })
    }

    /// The definitions in them.
    pub(super) fn defined(&self) -> Vec<String> {
        let text = self.settings().unwrap_or_default();
        let names = settings::names();
        let define = |name: &&str| settings::value(&text, name).map(|v| format!("{name} = {v}"));
        names.iter().filter_map(define).collect()
    }

    /// The site's file with our block or without it; `None` if it stays as it is.
    pub(super) fn new_localmacros(&self, wanted: Option<Wanted<'_>>) -> Option<String> {
        let folder = self.folder();
        let rest = localmacros::without_block(&self.localmacros);
        let own = rest.as_deref().unwrap_or(&self.localmacros);
        let needed = wanted.is_some_and(|wanted| !wanted.choices.split)
            && !localmacros::includes(own, &folder, "unsplit-main");
        let new = if needed { localmacros::with_block(own, &folder) } else { own.to_owned() };
        (new != self.localmacros).then_some(new)
    }

    /// What stands at a place where one of these files of ours belongs, and is not ours.
    pub(super) fn foreign(&self, files: &[Snippet]) -> Vec<String> {
        let line = |file: &Snippet| match self.found(&file.path) {
            Found::Foreign(why) => {
                Some(format!("{} {why}; move it away, then run this again", file.path.display()))
            }
            _ => None,
        };
        files.iter().filter_map(line).collect()
    }

    /// The steps in their order, or why they cannot be taken: those that may come before the
    /// configuration is generated, and those that must come after it.
    pub(super) fn plan(
        &self,
        wanted: Option<Wanted<'_>>,
    ) -> Result<(Vec<Step>, Vec<Step>), Vec<String>> {
        let files = wanted.map_or_else(Vec::new, |w| snippets::debian(&self.base, w.choices));
        let (mut first, mut last, mut refusals) = (Vec::new(), Vec::new(), self.foreign(&files));
        for Snippet { path, text } in &files {
            match self.found(path) {
                Found::Foreign(_) => {}
                Found::Ours(old) if old.bytes == text.as_bytes() => {}
                Found::Ours(old) => {
                    let after = Regular { bytes: text.as_bytes().to_vec(), ..old.clone() };
                    first.push(Step { path: path.clone(), before: Some(old), after: Some(after) });
                }
                Found::Nothing => {
                    let after = Some(Regular::of_root(text));
                    first.push(Step { path: path.clone(), before: None, after });
                }
            }
        }
        if let Some(new) = self.new_localmacros(wanted) {
            match self.localmacros_step(new, wanted.is_none_or(|w| w.edit_localmacros)) {
                Ok(step) => first.push(step),
                Err(lines) => refusals.extend(lines),
            }
        }
        for (path, found) in &self.places {
            let Found::Ours(old) = found else { continue };
            if files.iter().any(|file| file.path == *path) {
                continue;
            }
            let step = Step { path: path.clone(), before: Some(old.clone()), after: None };
            if path.starts_with(self.folder()) { last.push(step) } else { first.push(step) }
        }
        if refusals.is_empty() { Ok((first, last)) } else { Err(refusals) }
    }

    fn found(&self, path: &Path) -> Found {
        let place = self.places.iter().find(|(place, _)| place == path);
        place.map_or(Found::Nothing, |(_, found)| found.clone())
    }

    /// Changes the site's file, if that may be. One that is empty without our block was made by us.
    fn localmacros_step(&self, new: String, allowed: bool) -> Result<Step, Vec<String>> {
        let path = self.base.join("exim4.conf.localmacros");
        let line = format!(".include_if_exists {}/unsplit-main", self.folder().display());
        let before = match &self.editable {
            Ok(before) => before.clone(),
            Err(why) => {
                return Err(vec![format!(
                    "{why}; add this line to it yourself, then run this again: {line}"
                )]);
            }
        };
        let ours = localmacros::without_block(&self.localmacros).is_some();
        if before.is_some() && !ours && !allowed {
            return Err(vec![
                format!(
                    "{} is yours; either add this line to it, then run this again:",
                    path.display()
                ),
                format!("    {line}"),
                "or let a block of ours be put before your lines, by --edit-localmacros".to_owned(),
            ]);
        }
        let after = match &before {
            _ if new.is_empty() => None,
            Some(old) => Some(Regular { bytes: new.into_bytes(), ..old.clone() }),
            None => Some(Regular::of_root(&new)),
        };
        Ok(Step { path, before, after })
    }
}
