//! Picks a few values out of a `config.pck` in one walk over its opcodes.
