//! What a search may cost.

/// Steps that searches may still take; one budget serves a whole query.
///
/// A step is about what one operation of CPython's matcher costs, some ten nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    left: u64,
}

/// The budget, or the memory a search may use, ran out: Python would still be computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverBudget;

impl Budget {
    /// A budget of so many steps.
    pub fn new(steps: u64) -> Budget {
        Budget { left: steps }
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
