//! Expressions: literals, known names, operators, and the methods that change containers.

use std::collections::HashMap;

use super::atom::{self, Dialect};
use super::operators::{binary, is_true, join_strings, unary};
use super::token::Token;
use super::value::{Heap, Object, ObjectId, Unfollowed, Value};
use super::{Binding, Function};

/// Reads one expression, which must take up all of the tokens.
pub(super) struct Evaluator<'e, 's> {
    pub(super) tokens: &'e [Token<'s>],
    pub(super) names: &'e HashMap<String, Binding>,
    pub(super) heap: &'e mut Heap,
    pub(super) dialect: Dialect,
    /// Nothing that was not followed can have given True and False, which are variables in
    /// Python 2, another value.
    pub(super) has_builtins: bool,
    /// The line to which changes are ascribed.
    pub(super) line: usize,
}

/// Operators by how tightly they bind; those left out are not followed.
const PRECEDENCE: [&[&str]; 5] = [&["|"], &["^"], &["&"], &["+", "-"], &["*", "%"]];

impl<'s> Evaluator<'_, 's> {
    /// The value of all tokens: one expression, or a tuple without parentheses.
    pub(super) fn evaluate(mut self) -> Result<Value, Unfollowed> {
        let value = self.expressions()?;
        if self.tokens.is_empty() { Ok(value) } else { Err(Unfollowed) }
    }

    fn peek(&self) -> Option<Token<'s>> {
        self.tokens.first().copied()
    }

    fn next(&mut self) -> Result<Token<'s>, Unfollowed> {
        let (first, rest) = self.tokens.split_first().ok_or(Unfollowed)?;
        self.tokens = rest;
        Ok(*first)
    }

    fn at_op(&self, op: &str) -> bool {
        self.peek().is_some_and(|token| token.is_op(op))
    }

    fn skip_op(&mut self, op: &str) -> bool {
        let found = self.at_op(op);
        if found {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        found
    }

    fn expect_op(&mut self, op: &str) -> Result<(), Unfollowed> {
        if self.skip_op(op) { Ok(()) } else { Err(Unfollowed) }
    }

    fn expressions(&mut self) -> Result<Value, Unfollowed> {
        let first = self.expression()?;
        if !self.at_op(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.skip_op(",") && !self.tokens.is_empty() && !self.at_op(")") {
            items.push(self.expression()?);
        }
        self.heap.tuple(items, self.line)
    }

    fn expression(&mut self) -> Result<Value, Unfollowed> {
        let mut negations = 0_usize;
        while self.peek().is_some_and(|token| token.is_name("not")) {
            self.next()?;
            negations += 1;
        }
        let value = self.operation(PRECEDENCE.as_slice())?;
        if negations == 0 {
            return Ok(value);
        }
        Ok(Value::Bool(is_true(&value, self.heap)? == negations.is_multiple_of(2)))
    }

    fn operation(&mut self, levels: &[&[&str]]) -> Result<Value, Unfollowed> {
        let Some((operators, tighter)) = levels.split_first() else { return self.signed() };
        let mut value = self.operation(tighter)?;
        while let Some(Token::Op(op)) = self.peek() {
            if !operators.contains(&op) {
                break;
            }
            self.next()?;
            let right = self.operation(tighter)?;
            value = binary(op, &value, &right, self.heap, self.dialect.python, self.line)?;
        }
        Ok(value)
    }

    fn signed(&mut self) -> Result<Value, Unfollowed> {
        let mut signs = Vec::new();
        while let Some(Token::Op(op @ ("-" | "+" | "~"))) = self.peek() {
            signs.push(op);
            self.next()?;
        }
        let value = self.primary()?;
        signs.into_iter().rev().try_fold(value, |value, sign| unary(sign, &value))
    }

    /// An atom and what is appended to it. `**` is not followed, wherever it stands.
    fn primary(&mut self) -> Result<Value, Unfollowed> {
        let mut value = self.atom()?;
        loop {
            if self.skip_op("[") {
                value = self.subscript(&value)?;
                self.expect_op("]")?;
            } else if self.skip_op(".") {
                let Token::Name(method) = self.next()? else { return Err(Unfollowed) };
                self.expect_op("(")?;
                let arguments = self.items_until(")")?;
                value = self.call_method(&value, method, arguments)?;
            } else if self.skip_op("(") {
                let arguments = self.items_until(")")?;
                value = call_function(&value, &arguments)?;
            } else {
                return Ok(value);
            }
        }
    }

    fn atom(&mut self) -> Result<Value, Unfollowed> {
        match self.next()? {
            Token::Number(written) => atom::number(written, self.dialect.python),
            Token::Str { prefix, body } => self.strings(prefix, body),
            Token::Name(name) => self.name(name),
            Token::Op("(") => {
                if self.skip_op(")") {
                    return self.heap.tuple(Vec::new(), self.line);
                }
                let value = self.expressions()?;
                self.expect_op(")")?;
                Ok(value)
            }
            Token::Op("[") => {
                let items = self.items_until("]")?;
                self.heap.list(items, self.line)
            }
            Token::Op("{") => self.dict(),
            Token::Op(_) => Err(Unfollowed),
        }
    }

    /// String literals that stand side by side are one string.
    fn strings(&mut self, prefix: &str, body: &[u8]) -> Result<Value, Unfollowed> {
        let mut pieces = vec![atom::string(prefix, body, self.dialect)?];
        while let Some(Token::Str { prefix, body }) = self.peek() {
            self.next()?;
            pieces.push(atom::string(prefix, body, self.dialect)?);
        }
        join_strings(&pieces, self.heap, self.dialect.python)
    }

    fn name(&self, name: &str) -> Result<Value, Unfollowed> {
        match (self.names.get(name), name) {
            (Some(binding), _) => binding.value.clone().ok_or(Unfollowed),
            (None, "None") => Ok(Value::None),
            (None, "True") if self.has_builtins => Ok(Value::Bool(true)),
            (None, "False") if self.has_builtins => Ok(Value::Bool(false)),
            (None, _) => Err(Unfollowed),
        }
    }

    /// Expressions up to a closing bracket, a comma after the last one allowed.
    fn items_until(&mut self, closing: &str) -> Result<Vec<Value>, Unfollowed> {
        let mut items = Vec::new();
        while !self.skip_op(closing) {
            items.push(self.expression()?);
            if !self.skip_op(",") {
                self.expect_op(closing)?;
                break;
            }
        }
        Ok(items)
    }

    fn dict(&mut self) -> Result<Value, Unfollowed> {
        let dict = self.heap.dict(self.line)?;
        while !self.skip_op("}") {
            let key = self.expression()?;
            self.expect_op(":")?;
            let value = self.expression()?;
            self.heap.insert(dict, (key, value), self.dialect.python, self.line)?;
            if !self.skip_op(",") {
                self.expect_op("}")?;
                break;
            }
        }
        Ok(Value::Object(dict))
    }

    /// `value[index]` and `value[:]`, after the opening bracket.
    fn subscript(&mut self, value: &Value) -> Result<Value, Unfollowed> {
        let Value::Object(id) = value else { return Err(Unfollowed) };
        if self.skip_op(":") {
            return match self.heap.object(*id).clone() {
                Object::List(items) if self.at_op("]") => self.heap.list(items, self.line),
                _ => Err(Unfollowed),
            };
        }
        let index = self.expression()?;
        get_item(self.heap, *id, &index, self.dialect)
    }

    fn call_method(
        &mut self,
        value: &Value,
        method: &str,
        arguments: Vec<Value>,
    ) -> Result<Value, Unfollowed> {
        let Value::Object(id) = value else { return Err(Unfollowed) };
        match (self.heap.object(*id), method, arguments.as_slice()) {
            (Object::List(_), "append", [item]) => {
                self.heap.spend_elements(1)?;
                self.heap.list_mut(*id, self.line)?.push(item.clone());
                Ok(Value::None)
            }
            (Object::List(_), "extend", [items]) => {
                extend(self.heap, *id, items, self.line)?;
                Ok(Value::None)
            }
            (Object::List(items), "insert", [index, item]) => {
                let at = insertion_point(index, items.len())?;
                let len = items.len();
                self.heap.spend_elements(len + 1)?;
                self.heap.list_mut(*id, self.line)?.insert(at, item.clone());
                Ok(Value::None)
            }
            (Object::List(_), "index", [item]) => {
                let found = self.position_in_list(*id, item)?;
                i64::try_from(found).map(Value::Int).map_err(|_| Unfollowed)
            }
            (Object::List(_), "remove", [item]) => {
                let found = self.position_in_list(*id, item)?;
                self.heap.list_mut(*id, self.line)?.remove(found);
                Ok(Value::None)
            }
            (Object::Dict(_), "clear", []) => {
                self.heap.dict_mut(*id, self.line)?.clear();
                Ok(Value::None)
            }
            (Object::Dict(_), "update", [Value::Object(other)]) => {
                let Object::Dict(entries) = self.heap.object(*other).clone() else {
                    return Err(Unfollowed);
                };
                for entry in entries {
                    self.heap.insert(*id, entry, self.dialect.python, self.line)?;
                }
                Ok(Value::None)
            }
            _ => Err(Unfollowed),
        }
    }

    /// Where a list first has a scalar; nothing but scalars may come before it.
    fn position_in_list(&mut self, id: ObjectId, item: &Value) -> Result<usize, Unfollowed> {
        let Object::List(items) = self.heap.object(id) else { return Err(Unfollowed) };
        let len = items.len();
        let mut found = Err(Unfollowed);
        for (index, present) in items.iter().enumerate() {
            if present.equals(item, self.dialect.python)? {
                found = Ok(index);
                break;
            }
        }
        self.heap.spend_elements(len)?;
        found
    }
}

/// `list.insert` takes any index: negative ones count from the end, and none is out of range.
fn insertion_point(index: &Value, len: usize) -> Result<usize, Unfollowed> {
    let index = index.as_int().ok_or(Unfollowed)?;
    let back = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(if index < 0 { len.saturating_sub(back) } else { back.min(len) })
}

/// The place of `sequence[index]`.
pub(super) fn item_place(index: &Value, len: usize) -> Result<usize, Unfollowed> {
    let index = index.as_int().ok_or(Unfollowed)?;
    let back = usize::try_from(index.unsigned_abs()).map_err(|_| Unfollowed)?;
    let place = if index < 0 { len.checked_sub(back) } else { Some(back) };
    place.filter(|&place| place < len).ok_or(Unfollowed)
}

/// `container[index]`.
pub(super) fn get_item(
    heap: &mut Heap,
    id: ObjectId,
    index: &Value,
    dialect: Dialect,
) -> Result<Value, Unfollowed> {
    match heap.object(id) {
        Object::List(items) | Object::Tuple(items) => {
            items.get(item_place(index, items.len())?).cloned().ok_or(Unfollowed)
        }
        Object::Dict(_) => {
            let place = heap.find_key(id, index, dialect.python)?.ok_or(Unfollowed)?;
            let Object::Dict(entries) = heap.object(id) else { return Err(Unfollowed) };
            entries.get(place).map(|entry| entry.1.clone()).ok_or(Unfollowed)
        }
        Object::Poisoned => Err(Unfollowed),
    }
}

/// `list.extend(items)`, which `list += items` is too.
pub(super) fn extend(
    heap: &mut Heap,
    id: ObjectId,
    items: &Value,
    line: usize,
) -> Result<(), Unfollowed> {
    let Value::Object(items) = items else { return Err(Unfollowed) };
    let items = match heap.object(*items) {
        Object::List(items) | Object::Tuple(items) => items.clone(),
        _ => return Err(Unfollowed),
    };
    heap.spend_elements(items.len() + 1)?;
    heap.list_mut(id, line)?.extend(items);
    Ok(())
}

fn call_function(function: &Value, arguments: &[Value]) -> Result<Value, Unfollowed> {
    match (function, arguments) {
        (Value::Function(Function::Multiply(factor)), [Value::Int(number)]) => {
            number.checked_mul(*factor).map(Value::Int).ok_or(Unfollowed)
        }
        _ => Err(Unfollowed),
    }
}
