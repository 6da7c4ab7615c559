//! Statements at the top level, and what becomes of names in those that are not followed.

use std::collections::{HashMap, HashSet};

use super::atom::Dialect;
use super::expression::{Evaluator, extend, get_item, item_place};
use super::operators::binary;
use super::scan;
use super::token::{Line, Token};
use super::value::{Heap, Object, ObjectId, Unfollowed, Value};
use super::{Binding, Function, Library};
use crate::python::Python;

/// The variables of the module while its lines are followed.
pub(super) struct Interpreter<'l> {
    library: &'l Library,
    dialect: Dialect,
    pub(super) names: HashMap<String, Binding>,
    pub(super) heap: Heap,
    /// From this line on, names that were not assigned later may be anything.
    pub(super) unknown_since: Option<usize>,
    /// From this line on, nothing can be known, whatever is assigned.
    pub(super) lost_since: Option<usize>,
    /// `exec` or the like was run: any function may now change any name.
    has_run_code: bool,
    /// Functions may bind these at any time.
    rebound_by_functions: HashSet<String>,
    /// Functions may change the containers in these at any time.
    touched_by_functions: HashSet<String>,
    /// Names in statements that were not followed: they may have changed the library's own.
    suspects: HashSet<String>,
    /// What the library's names were bound to when it was first imported.
    imported: HashMap<&'static str, Value>,
    /// The indentation of the function or class whose body this is.
    function_indent: Option<usize>,
}

/// Operators of augmented assignments that are followed.
const AUGMENTED: [(&str, &str); 6] =
    [("+=", "+"), ("-=", "-"), ("*=", "*"), ("%=", "%"), ("|=", "|"), ("&=", "&")];

impl<'l> Interpreter<'l> {
    pub(super) fn new(dialect: Dialect, library: &'l Library) -> Self {
        Self {
            library,
            dialect,
            names: HashMap::new(),
            heap: Heap::new(),
            unknown_since: None,
            lost_since: None,
            has_run_code: false,
            rebound_by_functions: HashSet::new(),
            touched_by_functions: HashSet::new(),
            suspects: HashSet::new(),
            imported: HashMap::new(),
            function_indent: None,
        }
    }

    pub(super) fn line(&mut self, line: &Line<'_>) {
        if self.lost_since.is_some() {
            return;
        }
        if self.function_indent.is_some_and(|indent| line.indent <= indent) {
            self.function_indent = None;
        }
        let is_function_body = self.function_indent.is_some();
        let begins_function = scan::begins_function(&line.tokens);
        if begins_function && !is_function_body {
            self.function_indent = Some(line.indent);
        }
        if is_function_body || begins_function {
            self.function_line(&line.tokens, line.number, is_function_body);
        } else if line.indent > 0 || !self.is_simple(&line.tokens) {
            self.not_followed(&line.tokens, line.number);
        } else {
            for statement in scan::split(&line.tokens, &[";"]) {
                if self.simple(statement, line.number) == Err(Unfollowed) {
                    self.not_followed(statement, line.number);
                }
            }
        }
        if self.heap.is_exhausted {
            self.lost_since = Some(line.number);
        }
    }

    fn is_simple(&self, tokens: &[Token<'_>]) -> bool {
        !scan::begins_body(tokens) && scan::places_of(tokens, &[":"]).is_empty()
    }

    fn simple(&mut self, statement: &[Token<'_>], line: usize) -> Result<(), Unfollowed> {
        match statement {
            [] | [Token::Name("pass")] | [Token::Name("global"), ..] => return Ok(()),
            [Token::Name("from"), rest @ ..] => return self.import_from(rest, line),
            _ => {}
        }
        if let [place] =
            scan::places_of(statement, &AUGMENTED.map(|(written, _)| written)).as_slice()
        {
            return self.augmented(statement, *place, line);
        }
        let mut targets = scan::split(statement, &["="]);
        let value = self.evaluate(targets.pop().unwrap_or_default(), line)?;
        targets.into_iter().try_for_each(|target| self.assign(target, value.clone(), line))
    }

    fn evaluate(&mut self, tokens: &[Token<'_>], line: usize) -> Result<Value, Unfollowed> {
        let (names, heap, dialect) = (&self.names, &mut self.heap, self.dialect);
        let has_builtins = self.unknown_since.is_none() || dialect.python == Python::Three;
        Evaluator { tokens, names, heap, dialect, has_builtins, line }.evaluate()
    }

    fn assign(
        &mut self,
        target: &[Token<'_>],
        value: Value,
        line: usize,
    ) -> Result<(), Unfollowed> {
        match target {
            [Token::Name("None" | "print" | "not" | "lambda"), ..] => Err(Unfollowed),
            [Token::Name(name)] => {
                self.bind(name, value, line);
                Ok(())
            }
            [Token::Op("("), inner @ .., Token::Op(")")]
            | [Token::Op("["), inner @ .., Token::Op("]")] => self.unpack(inner, &value, line),
            [.., Token::Op("]")] if scan::places_of(target, &[","]).is_empty() => {
                let (id, index) = self.place(target, line)?;
                self.set_item(id, index, value, line)
            }
            _ => self.unpack(target, &value, line),
        }
    }

    fn bind(&mut self, name: &str, value: Value, line: usize) {
        if self.touched_by_functions.contains(name) {
            self.heap.poison(&value, line);
        }
        let is_steady = !self.rebound_by_functions.contains(name);
        self.names.insert(name.to_owned(), Binding { value: is_steady.then_some(value), line });
    }

    /// The name may or may not keep its value, through which later code can change containers.
    fn forget(&mut self, name: &str, line: usize) {
        let before = self.names.insert(name.to_owned(), Binding { value: None, line });
        if let Some(value) = before.and_then(|binding| binding.value) {
            self.heap.poison(&value, line);
        }
    }

    /// `a, b = value`, with names only.
    fn unpack(
        &mut self,
        targets: &[Token<'_>],
        value: &Value,
        line: usize,
    ) -> Result<(), Unfollowed> {
        let mut targets = scan::split(targets, &[","]);
        if targets.len() < 2 {
            return Err(Unfollowed);
        }
        targets.pop_if(|last| last.is_empty());
        let Value::Object(id) = value else { return Err(Unfollowed) };
        let items = match self.heap.object(*id) {
            Object::List(items) | Object::Tuple(items) if items.len() == targets.len() => {
                items.clone()
            }
            _ => return Err(Unfollowed),
        };
        self.heap.spend_elements(items.len())?;
        for (target, item) in targets.into_iter().zip(items) {
            let [Token::Name(name)] = target else { return Err(Unfollowed) };
            self.bind(name, item, line);
        }
        Ok(())
    }

    /// The container and the index of `container[index]`.
    fn place(
        &mut self,
        target: &[Token<'_>],
        line: usize,
    ) -> Result<(ObjectId, Value), Unfollowed> {
        let [before @ .., Token::Op("]")] = target else { return Err(Unfollowed) };
        let mut depth = 0_usize;
        let mut opening = None;
        for (place, token) in before.iter().enumerate() {
            match token {
                Token::Op("(" | "[" | "{") => {
                    if depth == 0 {
                        opening = Some(place);
                    }
                    depth += 1;
                }
                Token::Op(")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let (container, index) =
            before.split_at_checked(opening.ok_or(Unfollowed)?).ok_or(Unfollowed)?;
        let Value::Object(id) = self.evaluate(container, line)? else { return Err(Unfollowed) };
        let index = self.evaluate(index.get(1..).unwrap_or_default(), line)?;
        Ok((id, index))
    }

    fn set_item(
        &mut self,
        id: ObjectId,
        index: Value,
        value: Value,
        line: usize,
    ) -> Result<(), Unfollowed> {
        if let Object::List(items) = self.heap.object(id) {
            let place = item_place(&index, items.len())?;
            *self.heap.list_mut(id, line)?.get_mut(place).ok_or(Unfollowed)? = value;
            return Ok(());
        }
        self.heap.insert(id, (index, value), self.dialect.python, line)
    }

    fn augmented(
        &mut self,
        statement: &[Token<'_>],
        place: usize,
        line: usize,
    ) -> Result<(), Unfollowed> {
        let (target, rest) = statement.split_at_checked(place).ok_or(Unfollowed)?;
        let (Some((Token::Op(written), value)), true) = (rest.split_first(), !target.is_empty())
        else {
            return Err(Unfollowed);
        };
        let (_, op) = AUGMENTED.into_iter().find(|(w, _)| w == written).ok_or(Unfollowed)?;
        if let [Token::Name(name)] = target {
            let current = self.evaluate(target, line)?;
            let value = self.evaluate(value, line)?;
            let result = self.augment(op, current, &value, line)?;
            self.bind(name, result, line);
            return Ok(());
        }
        let (id, index) = self.place(target, line)?;
        let current = get_item(&mut self.heap, id, &index, self.dialect)?;
        let value = self.evaluate(value, line)?;
        let result = self.augment(op, current, &value, line)?;
        self.set_item(id, index, result, line)
    }

    /// A list is changed in place; everything else becomes a new value.
    fn augment(
        &mut self,
        op: &str,
        current: Value,
        value: &Value,
        line: usize,
    ) -> Result<Value, Unfollowed> {
        if let Value::Object(id) = current {
            return match self.heap.object(id) {
                Object::List(_) if op == "+" => {
                    extend(&mut self.heap, id, value, line)?;
                    Ok(current)
                }
                Object::Tuple(_) => {
                    binary(op, &current, value, &mut self.heap, self.dialect.python, line)
                }
                _ => Err(Unfollowed),
            };
        }
        binary(op, &current, value, &mut self.heap, self.dialect.python, line)
    }

    /// `from MODULE import ...`, after the first word.
    fn import_from(&mut self, rest: &[Token<'_>], line: usize) -> Result<(), Unfollowed> {
        let at = rest.iter().position(|token| token.is_name("import")).ok_or(Unfollowed)?;
        let (module, imported) = rest.split_at_checked(at).ok_or(Unfollowed)?;
        let module: String = module
            .iter()
            .map(|token| match token {
                Token::Name(text) | Token::Op(text) => *text,
                _ => "",
            })
            .collect();
        let imported = imported.get(1..).unwrap_or_default();
        if module == "__future__" {
            for name in scan::names(imported) {
                self.dialect.unicode_literals |= name == "unicode_literals";
                self.forget(name, line);
            }
            return Ok(());
        }
        if !self.library.modules.contains(&module.as_str()) {
            return Err(Unfollowed);
        }
        if let [Token::Op("*")] = imported {
            return self.import_library(line);
        }
        Err(Unfollowed)
    }

    /// Binds what the library defines. What the file itself assigned before may be something that
    /// the real library defines too. Each name refers to the same container in every import.
    fn import_library(&mut self, line: usize) -> Result<(), Unfollowed> {
        if self.unknown_since.is_some() {
            return Err(Unfollowed);
        }
        self.heap.spend(self.names.len())?;
        for binding in self.names.values_mut().filter(|binding| binding.line > 0) {
            if let Some(value) = binding.value.take() {
                self.heap.poison(&value, line);
            }
            binding.line = line;
        }
        if self.imported.is_empty() {
            self.imported.reserve(self.library.values.len() + self.library.functions.len());
            for (name, literal) in &self.library.values {
                self.imported.insert(name, self.heap.import(literal)?);
            }
            let functions = self.library.functions.iter();
            self.imported.extend(functions.map(|(name, f)| (*name, Value::Function(*f))));
        }
        let imported = std::mem::take(&mut self.imported);
        self.names.reserve(imported.len());
        for (name, value) in &imported {
            if self.suspects.contains(*name) {
                self.forget(name, line);
            } else {
                self.bind(name, value.clone(), 0);
            }
        }
        self.imported = imported;
        Ok(())
    }

    /// A statement outside functions that may run, once, often or not at all.
    fn not_followed(&mut self, tokens: &[Token<'_>], line: usize) {
        let runs_code = scan::has_reflection(tokens);
        if runs_code
            || scan::has_star_import(tokens)
            || (self.has_run_code && scan::has_call(tokens))
        {
            self.has_run_code |= runs_code;
            self.unknown_since = Some(line);
            self.names = HashMap::new();
            self.heap.clear();
            self.imported.clear();
        }
        let is_deferred = scan::has_deferred_code(tokens);
        self.mention(tokens, line, is_deferred);
        for name in scan::bound_names(tokens) {
            self.forget(name, line);
        }
    }

    /// A line of a function or class, the first one included.
    fn function_line(&mut self, tokens: &[Token<'_>], line: usize, is_body: bool) {
        if scan::has_reflection(tokens) || (self.has_run_code && scan::has_call(tokens)) {
            self.lost_since.get_or_insert(line);
        }
        self.mention(tokens, line, true);
        for name in scan::global_names(tokens) {
            self.rebound_by_functions.insert(name.to_owned());
            self.forget(name, line);
        }
        if let (false, [Token::Name(_), Token::Name(name), ..]) = (is_body, tokens) {
            self.forget(name, line);
        }
    }

    /// Containers in every name that occurs may be changed, now or (deferred) at any time.
    fn mention(&mut self, tokens: &[Token<'_>], line: usize, is_deferred: bool) {
        for name in scan::names(tokens) {
            match self.names.get(name).map(|binding| binding.value.clone()) {
                Some(Some(Value::Function(Function::Changes(changed)))) => {
                    for name in changed {
                        self.forget(name, line);
                        if is_deferred {
                            self.rebound_by_functions.insert((*name).to_owned());
                        }
                    }
                }
                Some(Some(value)) => self.heap.poison(&value, line),
                Some(None) => {}
                None if matches!(name, "None" | "True" | "False") => {}
                None => self.forget(name, line),
            }
            // An attribute of the library's module is mentioned by the same name.
            if let Some(value) = self.imported.get(name) {
                self.heap.poison(value, line);
            }
            self.suspects.insert(name.to_owned());
            if is_deferred {
                self.touched_by_functions.insert(name.to_owned());
            }
        }
    }
}
