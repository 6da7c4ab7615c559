//! Python's `re`.
