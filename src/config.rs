//! `/etc/mm-query.toml`.
