//! The `%` operator on a string and a mapping whose values are strings.
//!
//! Follows `PyString_Format` of CPython 2.7 as far as a mapping of strings can reach it. List
//! owners' texts are formatted that way without having been written for it, so the failures
//! matter as much as the successes.

/// What a key of the mapping is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(Vec<u8>),
    /// Something whose text we cannot know: an object of the running interpreter.
    Object,
}

/// Why there is no formatted text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// ValueError or TypeError.
    Exception,
    /// AttributeError: a bare `%c` asks the mapping itself for an integer (Python 2 only).
    Crash,
    /// The text would hold the printed form of an object: the mapping itself, or an
    /// [`Value::Object`].
    Dump,
}

struct Format<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    /// The mapping, or the last value taken by a key, can be taken once without a key.
    spent: bool,
    keyed: bool,
    dump: bool,
}

#[derive(Default)]
struct Spec {
    left: bool,
    star: bool,
    width: usize,
    precision: Option<usize>,
}

/// `text % mapping`.
///
/// # Errors
/// [`Failure`], where Python raises an exception or prints an object.
pub fn format(text: &[u8], lookup: &dyn Fn(&[u8]) -> Value) -> Result<Vec<u8>, Failure> {
    let mut format = Format { rest: text, out: Vec::new(), spent: false, keyed: false, dump: false };
    while let Some(at) = format.rest.iter().position(|c| *c == b'%') {
        let (plain, rest) = format.rest.split_at(at);
        format.out.extend_from_slice(plain);
        format.rest = rest.get(1..).unwrap_or_default();
        format.conversion(lookup)?;
    }
    format.out.extend_from_slice(format.rest);
    if format.dump { Err(Failure::Dump) } else { Ok(format.out) }
}

/// A field wider than this is no list owner's intention; Python would pad it.
const MAX_WIDTH: usize = 10_000;

impl Format<'_> {
    fn next(&mut self) -> Result<u8, Failure> {
        let (first, rest) = self.rest.split_first().ok_or(Failure::Exception)?;
        self.rest = rest;
        Ok(*first)
    }

    fn conversion(&mut self, lookup: &dyn Fn(&[u8]) -> Value) -> Result<(), Failure> {
        let mut value = None;
        if self.rest.first() == Some(&b'(') {
            value = Some(lookup(&self.key()?));
            self.spent = false;
            self.keyed = true;
        }
        let (spec, kind) = self.spec()?;
        if kind == b'%' {
            self.out.push(b'%');
            return Ok(());
        }
        if spec.star {
            return Err(Failure::Exception);
        }
        if value.is_none() && (self.spent || self.keyed) {
            return Err(Failure::Exception);
        }
        self.spent = true;
        match (kind, value) {
            (b's', Some(Value::Text(text))) => self.pad(&text, &spec),
            (b'r', Some(Value::Text(text))) => {
                let repr = repr(&text);
                self.pad(&repr, &spec)
            }
            (b's' | b'r', _) => {
                self.dump = true;
                Ok(())
            }
            (b'c', Some(Value::Text(text))) if text.len() == 1 => self.pad(&text, &spec),
            (b'c', None) => Err(Failure::Crash),
            _ => Err(Failure::Exception),
        }
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
        Ok((spec, c))
    }

    fn digits(&mut self, mut c: u8) -> Result<(usize, u8), Failure> {
        let mut number = 0usize;
        while c.is_ascii_digit() {
            number = number.saturating_mul(10).saturating_add(usize::from(c - b'0'));
            c = self.next()?;
        }
        Ok((number, c))
    }

    fn pad(&mut self, text: &[u8], spec: &Spec) -> Result<(), Failure> {
        if spec.width > MAX_WIDTH {
            return Err(Failure::Dump);
        }
        let text = match spec.precision {
            Some(most) => text.get(..most).unwrap_or(text),
            None => text,
        };
        let blanks = vec![b' '; spec.width.saturating_sub(text.len())];
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
        format(text.as_bytes(), &lookup).map(|t| String::from_utf8(t).unwrap())
    }

    #[test]
    fn keys_and_percent_signs() {
        assert_eq!(of("ask %(listowner)s, 100%%"), Ok("ask o@x, 100%".into()));
        assert_eq!(of("%(nobody)s %(a(b)c)s"), Ok("%(nobody)s %(a(b)c)s".into()));
        assert_eq!(of("%(listowner)6s|%(listowner)-6s|%(listowner).2s"), Ok("   o@x|o@x   |o@".into()));
        assert_eq!(of("%(listowner)r"), Ok("'o@x'".into()));
        assert_eq!(of("%5%"), Ok("%".into()));
    }

    #[test]
    fn what_python_refuses() {
        for text in ["100%", "50%d", "%(listowner)d", "%(listowner", "%(listowner)", "%y", "%*s", "%(a)s %s", "%f"] {
            assert_eq!(of(text), Err(Failure::Exception), "{text}");
        }
    }

    #[test]
    fn what_prints_or_breaks_the_interpreter() {
        assert_eq!(of("100% sure"), Err(Failure::Dump));
        assert_eq!(of("%s"), Err(Failure::Dump));
        assert_eq!(of("%(mlist)s"), Err(Failure::Dump));
        assert_eq!(of("%s %s"), Err(Failure::Exception));
        assert_eq!(of("%c"), Err(Failure::Crash));
    }
}
