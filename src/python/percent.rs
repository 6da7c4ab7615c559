//! The `%` operator on a string and a mapping whose values are strings.
//!
//! Follows `PyString_Format` of CPython 2.7 as far as a mapping of strings can reach it. List
//! owners' texts are formatted that way without having been written for it, so the failures
//! matter as much as the successes.

use crate::python::Python;

/// What a key of the mapping is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(Vec<u8>),
    /// Something whose text we cannot know: an object of the running interpreter.
    Object,
}

/// Why there is no formatted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// ValueError or TypeError.
    Exception,
    /// Another exception: AttributeError, as a bare `%c` asks the mapping itself for an integer
    /// (Python 2's byte strings only), or MemoryError.
    Crash,
    /// The text would hold the printed form of an object: the mapping itself, or an
    /// [`Value::Object`]. This is the text without that.
    Dump(Vec<u8>),
}

/// What a conversion without a key takes.
enum Argument {
    /// The mapping itself.
    Mapping,
    /// The value that the last key gave.
    Value(Value),
    /// Nothing is left.
    Spent,
}

struct Format<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    argument: Argument,
    dump: bool,
    python: Python,
}

#[derive(Default)]
struct Spec {
    left: bool,
    star: bool,
    /// Anything between the `%` (and its key) and the letter.
    modified: bool,
    width: u64,
    precision: Option<u64>,
}

/// `text % mapping`.
///
/// # Errors
/// [`Failure`], where Python raises an exception or prints an object.
pub fn format(
    text: &[u8],
    lookup: &dyn Fn(&[u8]) -> Value,
    python: Python,
) -> Result<Vec<u8>, Failure> {
    let mut format =
        Format { rest: text, out: Vec::new(), argument: Argument::Mapping, dump: false, python };
    while let Some(at) = format.rest.iter().position(|c| *c == b'%') {
        let (plain, rest) = format.rest.split_at(at);
        format.out.extend_from_slice(plain);
        format.rest = rest.get(1..).unwrap_or_default();
        format.conversion(lookup)?;
    }
    format.out.extend_from_slice(format.rest);
    if format.dump { Err(Failure::Dump(format.out)) } else { Ok(format.out) }
}

/// A field wider than this is no list owner's intention; Python pads it as far as memory goes.
const MAX_WIDTH: u64 = 10_000;

/// Python refuses larger numbers at once (`PY_SSIZE_T_MAX`).
const TOO_BIG: u64 = i64::MAX.unsigned_abs();

impl Format<'_> {
    fn next(&mut self) -> Result<u8, Failure> {
        let (first, rest) = self.rest.split_first().ok_or(Failure::Exception)?;
        self.rest = rest;
        Ok(*first)
    }

    fn conversion(&mut self, lookup: &dyn Fn(&[u8]) -> Value) -> Result<(), Failure> {
        let keyed = self.rest.first() == Some(&b'(');
        if keyed {
            self.argument = Argument::Value(lookup(&self.key()?));
        }
        let (spec, kind) = self.spec()?;
        if kind == b'%' {
            let plain = !keyed && !spec.modified;
            return match self.python {
                Python::Two => self.pad(b"%", &Spec { precision: None, ..spec }),
                Python::Three if plain => self.pad(b"%", &spec),
                Python::Three => Err(Failure::Exception),
            };
        }
        if spec.star {
            return Err(Failure::Exception);
        }
        match (kind, std::mem::replace(&mut self.argument, Argument::Spent)) {
            (_, Argument::Spent) => Err(Failure::Exception),
            (b's', Argument::Value(Value::Text(text))) => self.pad(&text, &spec),
            (b'r', Argument::Value(Value::Text(text))) => {
                let repr = repr(&text);
                self.pad(&repr, &spec)
            }
            (b's' | b'r', _) => self.dump(),
            (b'a', _) if self.python == Python::Three => self.dump(),
            (b'c', Argument::Value(Value::Text(text))) if text.len() == 1 => {
                self.pad(&text, &Spec { precision: None, ..spec })
            }
            (b'c', Argument::Mapping) if self.python == Python::Two => Err(Failure::Crash),
            _ => Err(Failure::Exception),
        }
    }

    fn dump(&mut self) -> Result<(), Failure> {
        self.dump = true;
        Ok(())
    }

    /// What stands between the parentheses, which may nest.
    fn key(&mut self) -> Result<Vec<u8>, Failure> {
        let mut key = Vec::new();
        let mut depth = 0usize;
        loop {
            let c = self.next()?;
            match c {
                b'(' => depth = depth.saturating_add(1),
                b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Ok(key);
            }
            if depth > 1 || c != b'(' || !key.is_empty() {
                key.push(c);
            }
        }
    }

    fn spec(&mut self) -> Result<(Spec, u8), Failure> {
        let mut spec = Spec::default();
        let before = self.rest.len();
        let mut c = self.next()?;
        while b"-+ #0".contains(&c) {
            spec.left |= c == b'-';
            c = self.next()?;
        }
        if c == b'*' {
            spec.star = true;
            c = self.next()?;
        } else {
            (spec.width, c) = self.digits(c)?;
        }
        if c == b'.' {
            c = self.next()?;
            if c == b'*' {
                spec.star = true;
                c = self.next()?;
            } else {
                let digits;
                (digits, c) = self.digits(c)?;
                spec.precision = Some(digits);
            }
        }
        if b"hlL".contains(&c) {
            c = self.next()?;
        }
        spec.modified = before.saturating_sub(self.rest.len()) > 1;
        Ok((spec, c))
    }

    fn digits(&mut self, mut c: u8) -> Result<(u64, u8), Failure> {
        let mut number = 0u64;
        while c.is_ascii_digit() {
            number = number.saturating_mul(10).saturating_add(u64::from(c - b'0'));
            if number > TOO_BIG {
                return Err(Failure::Exception);
            }
            c = self.next()?;
        }
        Ok((number, c))
    }

    fn pad(&mut self, text: &[u8], spec: &Spec) -> Result<(), Failure> {
        // Somewhere above this comes MemoryError, which nothing catches.
        let width = usize::try_from(spec.width.min(MAX_WIDTH)).unwrap_or_default();
        if spec.width > MAX_WIDTH {
            return Err(Failure::Crash);
        }
        let most = spec.precision.and_then(|most| usize::try_from(most).ok());
        let text = most.and_then(|most| text.get(..most)).unwrap_or(text);
        let blanks = vec![b' '; width.saturating_sub(text.len())];
        let (first, second) = if spec.left { (text, &blanks[..]) } else { (&blanks[..], text) };
        self.out.extend_from_slice(first);
        self.out.extend_from_slice(second);
        Ok(())
    }
}

/// `repr` of a byte string.
fn repr(text: &[u8]) -> Vec<u8> {
    let quote = if text.contains(&b'\'') && !text.contains(&b'"') { b'"' } else { b'\'' };
    let mut out = vec![quote];
    for c in text {
        match c {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            c if *c == quote => out.extend_from_slice(&[b'\\', quote]),
            b' '..=b'~' => out.push(*c),
            c => out.extend_from_slice(std::format!("\\x{c:02x}").as_bytes()),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<String, Failure> {
        let lookup = |key: &[u8]| match key {
            b"listowner" => Value::Text(b"o@x".to_vec()),
            b"mlist" => Value::Object,
            key => Value::Text([b"%(", key, b")s"].concat()),
        };
        format(text.as_bytes(), &lookup, Python::Two).map(|t| String::from_utf8(t).unwrap())
    }

    #[test]
    fn keys_and_percent_signs() {
        assert_eq!(of("ask %(listowner)s, 100%%"), Ok("ask o@x, 100%".into()));
        assert_eq!(of("%(nobody)s %(a(b)c)s"), Ok("%(nobody)s %(a(b)c)s".into()));
        assert_eq!(
            of("%(listowner)6s|%(listowner)-6s|%(listowner).2s"),
            Ok("   o@x|o@x   |o@".into())
        );
        assert_eq!(of("%(listowner)r"), Ok("'o@x'".into()));
        assert_eq!(of("%5%|%(x)%|% %|%-%"), Ok("    %|%|%|%".into()));
        assert_eq!(of("%(listowner)%%s"), Ok("%o@x".into()));
    }

    #[test]
    fn what_python_refuses() {
        for text in [
            "100%",
            "50%d",
            "%(listowner)d",
            "%(listowner",
            "%(listowner)",
            "%y",
            "%*s",
            "%(a)s %s",
            "%f",
        ] {
            assert_eq!(of(text), Err(Failure::Exception), "{text}");
        }
    }

    #[test]
    fn what_prints_or_breaks_the_interpreter() {
        assert_eq!(of("100% sure"), Err(Failure::Dump(b"100ure".to_vec())));
        assert_eq!(of("%s"), Err(Failure::Dump(Vec::new())));
        assert_eq!(of("%(mlist)s"), Err(Failure::Dump(Vec::new())));
        assert_eq!(of("%s %s"), Err(Failure::Exception));
        assert_eq!(of("%c"), Err(Failure::Crash));
        assert_eq!(of("%(listowner)s %c"), Err(Failure::Exception));
        assert_eq!(of("%(listowner)99999999999s"), Err(Failure::Crash));
        assert_eq!(of("%(listowner)99999999999999999999s"), Err(Failure::Exception));
    }

    #[test]
    fn what_differs_in_python_3() {
        let of = |text: &str| format(text.as_bytes(), &|_| Value::Object, Python::Three);
        assert_eq!(of("100%%"), Ok(b"100%".to_vec()));
        for text in ["%5%", "%(x)%", "%c"] {
            assert_eq!(of(text), Err(Failure::Exception), "{text}");
        }
        assert_eq!(of("%a"), Err(Failure::Dump(Vec::new())));
    }
}
