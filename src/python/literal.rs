//! Top-level assignments of literals, as in `mm_cfg.py`, read without running anything.
