//! What a search may cost, and what it need not do again.

use super::{Compiled, Flags, Pattern, Patterns};
use crate::python::Python;
use crate::python::text::PyStr;
use std::sync::Arc;

/// Steps that searches may still take; one budget serves a whole query.
///
/// A step is about what one operation of CPython's matcher costs, some ten nanoseconds.
#[derive(Debug, Clone)]
pub struct Budget {
    left: u64,
    patterns: Option<Arc<Patterns>>,
}

/// The budget, or the memory a search may use, ran out: Python would still be computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverBudget;

impl Budget {
    /// A budget of so many steps.
    pub fn new(steps: u64) -> Budget {
        Budget { left: steps, patterns: None }
    }

    /// The same for searches whose patterns are kept compiled.
    pub fn keeping(steps: u64, patterns: Option<Arc<Patterns>>) -> Budget {
        Budget { left: steps, patterns }
    }

    /// `re.compile`, unless it has been done. Neither costs any steps.
    pub fn compile(&self, pattern: &PyStr, flags: Flags, python: Python) -> Arc<Compiled> {
        match &self.patterns {
            Some(patterns) => patterns.compiled(pattern, flags, python),
            None => Arc::new(Pattern::compile(pattern, flags, python)),
        }
    }

    /// Steps left.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Takes `steps`; what is left is spent, too, if they are too many.
    ///
    /// # Errors
    /// There are not so many left.
    pub fn charge(&mut self, steps: u64) -> Result<(), OverBudget> {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(OverBudget)
            }
        }
    }
}
