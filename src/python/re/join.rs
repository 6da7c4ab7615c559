//! Sequences and alternatives as `sre_parse` simplifies them.

use super::syntax::{Group, Item, Modes, Node, Sequence, SetSyntax};
use crate::python::Python;

/// Longest non-capturing group whose content joins the sequence around it.
const SPLICED_NODES: usize = 16;

/// Whether a group is no more than its content.
pub(super) fn is_transparent(group: &Group) -> bool {
    group.index.is_none() && group.add == Modes::NONE && group.remove == Modes::NONE
}

/// Python 3 puts the content of `(?:...)` in place of the group, so that alternatives and repeats
/// see it. Long contents stay where they are: it makes no difference to what is matched, and
/// moving them again at each level would take time quadratic in the pattern.
pub(super) fn spliced(nodes: Sequence) -> Sequence {
    let splices = |group: &Group| is_transparent(group) && group.body.len() <= SPLICED_NODES;
    if !nodes.iter().any(|node| matches!(node, Node::Group(group) if splices(group))) {
        return nodes;
    }
    let mut out = Sequence::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::Group(group) if splices(&group) => out.extend(group.body),
            node => out.push(node),
        }
    }
    out
}

/// Two or more alternatives as one sequence: what they begin with in common moves out, and an
/// alternation of single characters becomes a set.
pub(super) fn join_alternatives(mut alternatives: Vec<Sequence>, python: Python) -> Sequence {
    let common = common_start(&alternatives);
    let mut joined = Sequence::new();
    for (i, alternative) in alternatives.iter_mut().enumerate() {
        let start = alternative.drain(..common);
        if i == 0 {
            joined.extend(start);
        }
    }
    joined.push(match merged_set(&alternatives, python) {
        Some(set) => Node::Set(Box::new(set)),
        None => Node::Branch(alternatives),
    });
    joined
}

/// How many first nodes all alternatives share.
fn common_start(alternatives: &[Sequence]) -> usize {
    let Some((first, others)) = alternatives.split_first() else { return 0 };
    first
        .iter()
        .enumerate()
        .take_while(|(i, node)| {
            node.is_plain() && others.iter().all(|other| other.get(*i) == Some(node))
        })
        .count()
}

/// The set that stands for alternatives of one character each.
fn merged_set(alternatives: &[Sequence], python: Python) -> Option<SetSyntax> {
    let mut items = Vec::new();
    for alternative in alternatives {
        match (alternative.as_slice(), python) {
            ([Node::Literal(c)], _) => items.push(Item::Literal(*c)),
            ([Node::Set(set)], Python::Three) if !set.negated => items.extend(&set.items),
            _ => return None,
        }
    }
    Some(SetSyntax { negated: false, items })
}
