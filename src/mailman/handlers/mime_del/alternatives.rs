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

/// Follows both, and gives the type that the message itself has in the end.
///
/// # Errors
/// [`Stop::Shunt`] where Mailman raises an exception.
pub(super) fn convert(
    post: &Post<'_>,
    kept: &[Kept],
    list: &List<'_>,
    site: &SiteValues,
) -> Result<Vec<u8>, Stop> {
    let collapses = list.settings.collapse_alternatives.is_true("collapse_alternatives")?;
    let tree = Tree { parts: post.message.parts(), kept };
    let mut outer = Place { index: 0, collapsing: collapses };
    let mut top = tree.inside(outer);
    if collapses && tree.content_type(0) == b"multipart/alternative" {
        top.truncate(1);
        // The first alternative takes the message's place.
        outer = *top.first().ok_or_else(|| Stop::Shunt("an alternative without parts".into()))?;
    }
    let mut left = vec![0];
    let mut open = top;
    while let Some(place) = open.pop() {
        left.push(place.index);
        open.extend(tree.inside(place));
    }
    let converts = is_converted(post, list, site)?;
    for index in left.into_iter().filter(|index| converts && tree.is_html(*index)) {
        if let Some(part) = tree.parts.get(index) {
            can_be_decoded(post, index, part)?;
        }
    }
    let last = tree.recast(outer, post);
    match converts && tree.is_html(last) {
        true => Ok(b"text/plain".to_vec()),
        false => Ok(tree.content_type(last).to_vec()),
    }
}

/// Whether HTML is made text.
fn is_converted(post: &Post<'_>, list: &List<'_>, site: &SiteValues) -> Result<bool, Stop> {
    let wanted = list.settings.convert_html_to_plaintext.is_true("convert_html_to_plaintext")?;
    let has_command = || {
        let command = site.known("HTML_TO_PLAIN_TEXT_COMMAND")?;
        Ok(post.python == Python::Three || command.truth() != Some(false))
    };
    Ok(wanted && has_command()?)
}

/// A part that stays, and whether alternatives directly in it are collapsed still.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    collapsing: bool,
}

struct Tree<'a> {
    parts: &'a [Part<'a>],
    kept: &'a [Kept],
}

impl Tree<'_> {
    fn content_type(&self, index: usize) -> &[u8] {
        self.parts.get(index).map_or(b"", |part| part.content_type())
    }

    fn is_html(&self, index: usize) -> bool {
        self.content_type(index) == b"text/html"
    }

    fn children(&self, index: usize) -> &[usize] {
        self.kept.get(index).map_or(&[], |part| &part.children)
    }

    /// What is in a part: of alternatives the first, which is not looked into any further.
    fn inside(&self, place: Place) -> Vec<Place> {
        let mut inside = Vec::new();
        for child in self.children(place.index) {
            let is_alternative = self.content_type(*child) == b"multipart/alternative";
            if !(place.collapsing && is_alternative) {
                inside.push(Place { index: *child, collapsing: place.collapsing });
            } else if let Some(first) = self.children(*child).first() {
                inside.push(Place { index: *first, collapsing: false });
            }
        }
        inside
    }

    /// `recast_multipart`, and what follows it in `process`: a container of one part becomes that
    /// part, one of an empty and another part the other. Each step goes deeper.
    fn recast(&self, mut outer: Place, post: &Post<'_>) -> usize {
        loop {
            let kind = self.content_type(outer.index);
            let inside = self.inside(outer);
            outer = match inside.as_slice() {
                _ if kind == b"multipart/signed" => return outer.index,
                [one] if kind != b"message/rfc822" => *one,
                [empty, other] if is_empty(post, empty.index) => return other.index,
                _ => return outer.index,
            };
        }
    }
}

fn is_empty(post: &Post<'_>, index: usize) -> bool {
    post.payload(index).is_some_and(|payload| payload.is_empty())
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
