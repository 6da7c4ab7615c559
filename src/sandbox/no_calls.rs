//! Where [`filter`] has no filter: the numbers of system calls are another processor's.

/// Does nothing.
///
/// # Errors
/// Always: there is no filter.
pub fn filter() -> Result<(), String> {
    Err("no filter for this processor".into())
}

/// None.
pub fn numbers() -> Vec<i64> {
    Vec::new()
}

/// Does nothing.
///
/// # Errors
/// Always: there is no filter.
pub fn filter_server() -> Result<(), String> {
    Err("no filter for this processor".into())
}
