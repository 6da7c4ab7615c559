//! A mailing list: its name, where it lives, its settings and members.
