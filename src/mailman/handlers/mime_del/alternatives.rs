//! What is done to what stays: of alternatives only the first, of HTML its text
//! (`MimeDel.collapse_multipart_alternatives`, `to_plaintext`). None of it stops a post, but
//! Mailman fails where an alternative is empty, or HTML cannot be decoded.

use super::filter::Kept;
use crate::mailman::handlers::List;
use crate::mailman::post::Post;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::message::Part;

/// Follows both.
///
/// # Errors
/// [`Stop::Shunt`] where Mailman raises an exception.
pub(super) fn convert(
    post: &Post<'_>,
    kept: &[Kept],
    list: &List<'_>,
    site: &SiteValues,
) -> Result<(), Stop> {
    let parts = post.message.parts();
    let collapses = list.settings.collapse_alternatives.is_true("collapse_alternatives")?;
    let is_alternative = |index: usize| {
        parts.get(index).is_some_and(|part| part.content_type() == b"multipart/alternative")
    };
    let children = |index: usize| kept.get(index).map_or(&[][..], |part| &part.children);
    let mut left = Vec::new();
    // What is looked at, and whether alternatives directly in it are collapsed still.
    let mut open = vec![(0usize, collapses)];
    while let Some((index, collapsing)) = open.pop() {
        left.push(index);
        let mut inside = Vec::new();
        for child in children(index) {
            match (collapsing && is_alternative(*child), children(*child).first()) {
                (true, Some(first)) => inside.push((*first, false)),
                (true, None) => {}
                (false, _) => inside.push((*child, collapsing)),
            }
        }
        if index == 0 && collapses && is_alternative(0) {
            if inside.is_empty() {
                return Err(Stop::Shunt("an alternative without parts".into()));
            }
            inside.truncate(1);
        }
        open.extend(inside);
    }
    let converts = &list.settings.convert_html_to_plaintext;
    if !converts.is_true("convert_html_to_plaintext")? {
        return Ok(());
    }
    if post.python == Python::Two
        && site.known("HTML_TO_PLAIN_TEXT_COMMAND")?.truth() == Some(false)
    {
        return Ok(());
    }
    for index in left {
        if let Some(part) = parts.get(index).filter(|part| part.content_type() == b"text/html") {
            can_be_decoded(post, index, part)?;
        }
    }
    Ok(())
}

/// Whether the HTML comes out of its transfer encoding, and in the port out of UTF-8.
fn can_be_decoded(post: &Post<'_>, index: usize, part: &Part<'_>) -> Result<(), Stop> {
    if post.edits.contains_key(&index) {
        return Ok(());
    }
    let illegal = || Stop::Shunt("an HTML part that cannot be decoded".into());
    let decoded = part.decoded().map_err(|_| illegal())?.unwrap_or_default();
    match post.python {
        Python::Three if std::str::from_utf8(&decoded).is_err() => Err(illegal()),
        _ => Ok(()),
    }
}
