//! Compiled patterns, kept for searches to come.

use super::{CompileError, Flags, Pattern};
use crate::limits;
use crate::python::Python;
use crate::python::text::PyStr;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A pattern, or why it is none.
pub type Compiled = Result<Pattern, CompileError>;

type ByText = HashMap<PyStr, Arc<Compiled>>;

/// The patterns of one list, each compiled when it is first searched for. Never more than
/// [`limits::KEPT_PATTERNS`]: what comes beyond is compiled each time.
#[derive(Debug, Default)]
pub struct Patterns {
    kept: Mutex<Vec<(Flags, Python, ByText)>>,
}

impl Patterns {
    /// `re.compile`.
    pub(super) fn compiled(&self, pattern: &PyStr, flags: Flags, python: Python) -> Arc<Compiled> {
        let of_these = |(f, p, _): &(Flags, Python, ByText)| *f == flags && *p == python;
        let found = self.kept.lock().ok().and_then(|kept| {
            kept.iter().find(|k| of_these(k)).and_then(|(.., map)| map.get(pattern).cloned())
        });
        if let Some(found) = found {
            return found;
        }
        let compiled = Arc::new(Pattern::compile(pattern, flags, python));
        if pattern.as_bytes().len() > limits::KEPT_PATTERN_BYTES {
            return compiled;
        }
        let Ok(mut kept) = self.kept.lock() else { return compiled };
        if kept.iter().map(|(.., map)| map.len()).sum::<usize>() >= limits::KEPT_PATTERNS {
            return compiled;
        }
        if !kept.iter().any(of_these) {
            kept.push((flags, python, HashMap::new()));
        }
        if let Some((.., map)) = kept.iter_mut().find(|k| of_these(k)) {
            map.insert(pattern.clone(), Arc::clone(&compiled));
        }
        compiled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_compiled_once_and_no_more_are_kept_than_the_limit() {
        let kept = Patterns::default();
        let flags = Flags::default();
        let pattern = |n: usize| PyStr::Bytes(format!("^x{n}").into_bytes());
        let first = kept.compiled(&pattern(0), flags, Python::Two);
        assert!(Arc::ptr_eq(&first, &kept.compiled(&pattern(0), flags, Python::Two)));
        let other = kept.compiled(&pattern(0), flags, Python::Three);
        assert!(!Arc::ptr_eq(&first, &other));
        for n in 0..limits::KEPT_PATTERNS + 10 {
            assert!(kept.compiled(&pattern(n), flags, Python::Two).is_ok());
        }
        let last = pattern(limits::KEPT_PATTERNS + 9);
        let one = kept.compiled(&last, flags, Python::Two);
        assert!(!Arc::ptr_eq(&one, &kept.compiled(&last, flags, Python::Two)));
    }
}
