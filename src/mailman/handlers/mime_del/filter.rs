//! Which parts stay (`MimeDel.process`, `filter_parts`).

use super::extension::{Extension, extension};
use crate::list::settings::Setting;
use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::post::Post;
use crate::mailman::verdict::{Rule, Stop};
use crate::python::text::PyStr;

/// Whether a part stays by its own type and file name.
pub(super) enum Verdict {
    /// It does.
    Yes,
    /// It does not, by this rule.
    No(Rule),
}

/// A part after the filter.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// Whether the message as it came has parts in it.
    pub(super) had_parts: bool,
    /// Indexes of the parts in it that stay, in order.
    pub(super) children: Vec<usize>,
}

/// The list's settings.
pub(super) struct Filter<'a> {
    filter_types: &'a PyValue,
    pass_types: &'a PyValue,
    filter_extensions: &'a PyValue,
    pass_extensions: &'a PyValue,
}

impl<'a> Filter<'a> {
    pub(super) fn new(list: &List<'a>) -> Result<Filter<'a>, Stop> {
        let settings = list.settings;
        let reached = |setting: &'a Setting, name| setting.reached(name);
        Ok(Filter {
            filter_types: reached(&settings.filter_mime_types, "filter_mime_types")?,
            pass_types: reached(&settings.pass_mime_types, "pass_mime_types")?,
            filter_extensions: reached(
                &settings.filter_filename_extensions,
                "filter_filename_extensions",
            )?,
            pass_extensions: reached(
                &settings.pass_filename_extensions,
                "pass_filename_extensions",
            )?,
        })
    }

    /// Whether the part with this index stays, whatever is in it.
    pub(super) fn judge(&self, post: &Post<'_>, index: usize) -> Result<Verdict, Stop> {
        let Some(part) = post.message.parts().get(index) else { return Ok(Verdict::Yes) };
        let is_type_in = |setting| {
            Ok(contains(setting, part.content_type())? || contains(setting, part.maintype())?)
        };
        if is_type_in(self.filter_types)? {
            return Ok(Verdict::No(Rule::FilterMimeTypes));
        }
        if is_set(self.pass_types)? && !is_type_in(self.pass_types)? {
            return Ok(Verdict::No(Rule::PassMimeTypes));
        }
        match extension(post, index)? {
            Extension::None => return Ok(Verdict::Yes),
            Extension::Is(extension) => {
                if contains_text(self.filter_extensions, &extension)? {
                    return Ok(Verdict::No(Rule::FilterFilenameExtensions));
                }
                if is_set(self.pass_extensions)?
                    && !contains_text(self.pass_extensions, &extension)?
                {
                    return Ok(Verdict::No(Rule::PassFilenameExtensions));
                }
            }
        }
        Ok(Verdict::Yes)
    }

    /// What stays of each part; nothing is in a part that does not stay itself.
    ///
    /// Parts come in the order of `walk()`, so that going backwards comes to what is in a part before
    /// the part itself, as Mailman's recursion does.
    pub(super) fn kept_parts(&self, post: &Post<'_>) -> Result<Vec<Kept>, Stop> {
        let parts = post.message.parts();
        let mut kept = vec![Kept::default(); parts.len()];
        // Parts that stay and whose own container was not come to yet, the last first.
        let mut waiting: Vec<usize> = Vec::new();
        for (index, part) in parts.iter().enumerate().rev() {
            let mut children = Vec::new();
            while let Some(child) = waiting
                .pop_if(|child| parts.get(*child).is_some_and(|child| child.depth > part.depth))
            {
                children.push(child);
            }
            let had_parts = parts.get(index + 1).is_some_and(|next| next.depth > part.depth);
            let is_emptied = had_parts && children.is_empty();
            if let Some(slot) = kept.get_mut(index) {
                *slot = Kept { had_parts, children };
            }
            let stays =
                index == 0 || !is_emptied && matches!(self.judge(post, index)?, Verdict::Yes);
            if stays {
                waiting.push(index);
            }
        }
        Ok(kept)
    }
}

fn is_set(setting: &PyValue) -> Result<bool, Stop> {
    setting.truth().ok_or_else(|| Stop::Unknowable("a filter setting of an unknown type".into()))
}

fn contains(setting: &PyValue, text: &[u8]) -> Result<bool, Stop> {
    contains_text(setting, &PyStr::Bytes(text.to_vec()))
}

/// `text in setting`: an item that is equal, or, where the setting is a string, a part of it.
fn contains_text(setting: &PyValue, text: &PyStr) -> Result<bool, Stop> {
    match setting {
        PyValue::List(items) | PyValue::Dict(items) => {
            Ok(items.iter().any(|item| matches!(item, PyValue::Str(item) if equal(item, text))))
        }
        PyValue::Str(setting) => Ok(is_within(setting.as_bytes(), text.as_bytes())),
        _ => Err(Stop::Shunt("a filter setting is no list".into())),
    }
}

/// Bytes and text are equal where both are the same ASCII.
fn equal(one: &PyStr, other: &PyStr) -> bool {
    let same_kind = matches!(
        (one, other),
        (PyStr::Bytes(_), PyStr::Bytes(_)) | (PyStr::Text(_), PyStr::Text(_))
    );
    one.as_bytes() == other.as_bytes() && (same_kind || one.as_bytes().is_ascii())
}

fn is_within(text: &[u8], wanted: &[u8]) -> bool {
    wanted.is_empty() || text.windows(wanted.len()).any(|window| window == wanted)
}
