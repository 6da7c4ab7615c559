//! What a line that is not followed may do, judged by its tokens alone.
//!
//! Errs on the side of more: a name counted as bound although it is only read is Unknown, which
//! is always allowed.

use super::token::Token;

/// Names through which code can reach any variable of the module.
const REFLECTION: [&str; 21] = [
    "exec",
    "execfile",
    "eval",
    "compile",
    "globals",
    "locals",
    "vars",
    "setattr",
    "delattr",
    "getattr",
    "reload",
    "__import__",
    "__dict__",
    "__builtins__",
    "__globals__",
    "func_globals",
    "f_globals",
    "f_locals",
    "modules",
    "_getframe",
    "importlib",
];

/// Words that begin a statement with a body.
const COMPOUND: [&str; 12] = [
    "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class",
    "async",
];

/// Words after which every name of the statement may be bound.
const BINDING: [&str; 7] = ["import", "from", "del", "global", "nonlocal", "with", "except"];

/// Operators that assign.
const ASSIGNING: [&str; 15] =
    ["=", "+=", "-=", "*=", "/=", "//=", "%=", "&=", "|=", "^=", ">>=", "<<=", "**=", "@=", ":="];

pub(super) fn names<'s>(tokens: &[Token<'s>]) -> impl Iterator<Item = &'s str> {
    tokens.iter().filter_map(|token| match token {
        Token::Name(name) => Some(*name),
        _ => None,
    })
}

pub(super) fn has_reflection(tokens: &[Token<'_>]) -> bool {
    names(tokens).any(|name| REFLECTION.contains(&name))
}

/// `from anything import *`, also after something else on the line.
pub(super) fn has_star_import(tokens: &[Token<'_>]) -> bool {
    tokens
        .windows(2)
        .any(|pair| matches!(pair, [first, star] if first.is_name("import") && star.is_op("*")))
}

/// Code that runs later, when names may have other values.
pub(super) fn has_deferred_code(tokens: &[Token<'_>]) -> bool {
    names(tokens).any(|name| matches!(name, "lambda" | "for" | "yield" | "def" | "class" | "async"))
}

pub(super) fn has_call(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| token.is_op("("))
}

pub(super) fn begins_body(tokens: &[Token<'_>]) -> bool {
    names(tokens.get(..1).unwrap_or_default()).any(|name| COMPOUND.contains(&name))
}

pub(super) fn begins_function(tokens: &[Token<'_>]) -> bool {
    names(tokens.get(..1).unwrap_or_default()).any(|name| matches!(name, "def" | "class" | "async"))
}

/// The tokens outside brackets, with their places.
fn at_top<'t, 's>(tokens: &'t [Token<'s>]) -> impl Iterator<Item = (usize, &'t Token<'s>)> {
    let mut depth = 0_usize;
    tokens.iter().enumerate().filter(move |(_, token)| {
        match token {
            Token::Op("(" | "[" | "{") => depth += 1,
            Token::Op(")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    })
}

/// Where these operators stand outside brackets.
pub(super) fn places_of(tokens: &[Token<'_>], ops: &[&str]) -> Vec<usize> {
    let is_wanted = |token: &Token<'_>| matches!(token, Token::Op(op) if ops.contains(op));
    at_top(tokens).filter(|(_, token)| is_wanted(token)).map(|(place, _)| place).collect()
}

/// The pieces between these operators, where they stand outside brackets.
pub(super) fn split<'t, 's>(tokens: &'t [Token<'s>], ops: &[&str]) -> Vec<&'t [Token<'s>]> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for place in places_of(tokens, ops) {
        pieces.push(tokens.get(start..place).unwrap_or_default());
        start = place + 1;
    }
    pieces.push(tokens.get(start..).unwrap_or_default());
    pieces
}

/// Every name that one of the statements on this line may bind in its own scope.
pub(super) fn bound_names<'s>(tokens: &[Token<'s>]) -> Vec<&'s str> {
    let mut bound = Vec::new();
    let mut statements = tokens;
    if begins_body(tokens)
        && let Some((header, body)) =
            places_of(tokens, &[":"]).first().and_then(|colon| tokens.split_at_checked(*colon))
    {
        bound_in_statement(header, &mut bound);
        statements = body.get(1..).unwrap_or_default();
    }
    for statement in split(statements, &[";"]) {
        if places_of(statement, &[":"]).is_empty() {
            bound_in_statement(statement, &mut bound);
        } else {
            // A lambda, an annotation, or a statement of a later Python.
            bound.extend(names(statement));
        }
    }
    bound
}

fn bound_in_statement<'s>(statement: &[Token<'s>], bound: &mut Vec<&'s str>) {
    match statement {
        [Token::Name(word), rest @ ..] if BINDING.contains(word) => bound.extend(names(rest)),
        [Token::Name("async"), ..] => bound.extend(names(statement)),
        [Token::Name("def" | "class"), Token::Name(name), ..] => bound.push(name),
        _ => {}
    }
    if let Some(last) = places_of(statement, &ASSIGNING).last() {
        bound.extend(names(statement.get(..*last).unwrap_or_default()));
    }
    let mut in_targets = false;
    for (token, next) in statement.iter().zip(statement.iter().skip(1)) {
        match token {
            Token::Name("for") => in_targets = true,
            Token::Name("in") => in_targets = false,
            Token::Name(name) if in_targets || next.is_op(":=") => bound.push(name),
            _ => {}
        }
    }
}

/// The names after `global` in any statement of this line.
pub(super) fn global_names<'s>(tokens: &[Token<'s>]) -> Vec<&'s str> {
    let statements = split(tokens, &[";", ":"]);
    let globals = statements.iter().filter_map(|statement| match statement {
        [Token::Name("global"), rest @ ..] => Some(rest),
        _ => None,
    });
    globals.flat_map(|rest| names(rest)).collect()
}
