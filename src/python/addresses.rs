//! `email.utils.getaddresses` and `parseaddr`.
