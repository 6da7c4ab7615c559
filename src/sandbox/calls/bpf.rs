//! Assembles the filter of system calls, while this program is compiled.

use libc::{c_long, c_uint};
use seccompiler::sock_filter;

/// A system call that is allowed, and what the low 32 bits of its arguments must be.
pub(super) struct Call {
    pub(super) number: c_long,
    pub(super) demands: &'static [(Argument, Demand)],
}

/// Which argument, from 0.
pub(super) type Argument = u32;

/// What an argument must be.
pub(super) enum Demand {
    /// This.
    Is(u32),
    /// This or less.
    AtMost(u32),
    /// More than this.
    Above(u32),
    /// None of these bits.
    Without(u32),
}

// Of `struct seccomp_data` (linux/seccomp.h), at these offsets.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

const LOAD: c_uint = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const RETURN: c_uint = libc::BPF_RET | libc::BPF_K;
const IF_EQUAL: c_uint = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const IF_GREATER: c_uint = libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K;
const IF_ANY_BIT: c_uint = libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K;
/// Copies the loaded word, which nothing asks for.
const COPY: c_uint = libc::BPF_MISC | libc::BPF_TAX;

/// "There is no such call", as an older kernel would say it: the C library goes on without it.
pub(super) const DENY: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
pub(super) const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;

/// Instructions of the program for these calls.
pub(super) const fn length(mut calls: &[Call]) -> usize {
    let mut length = 6;
    while let [call, rest @ ..] = calls {
        length += block(call);
        calls = rest;
    }
    length
}

/// Instructions for one call: one where nothing is demanded, else also two for each demand and a
/// return.
const fn block(call: &Call) -> usize {
    if call.demands.is_empty() { 1 } else { 2 + 2 * call.demands.len() }
}

/// The program that allows these calls on this architecture, and denies all others. `N` is their
/// [`length`].
pub(super) const fn assemble<const N: usize>(
    architecture: u32,
    mut calls: &[Call],
) -> [sock_filter; N] {
    let mut program = Program { code: [const { instruction(RETURN, 0, 0, DENY) }; N], at: 0 };
    // Kernels since 5.11 run a filter for every number there is when it is installed, to remember
    // what is always allowed. That costs more than a query's few calls gain, so the first
    // instruction is one that this look-ahead does not follow: it stops there.
    program.push(COPY, 0, 0, 0);
    program.push(LOAD, 0, 0, ARCHITECTURE);
    program.push(IF_EQUAL, 0, program.to(Program::<N>::DENIED), architecture);
    program.push(LOAD, 0, 0, NUMBER);
    while let [call, rest @ ..] = calls {
        program.call(call);
        calls = rest;
    }
    program.push(RETURN, 0, 0, DENY);
    program.push(RETURN, 0, 0, ALLOW);
    assert!(program.at == N, "not the length");
    program.code
}

const fn instruction(code: c_uint, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt, jf, k }
}

struct Program<const N: usize> {
    code: [sock_filter; N],
    at: usize,
}

impl<const N: usize> Program<N> {
    /// Where the two ends are.
    const DENIED: usize = N - 2;
    const ALLOWED: usize = N - 1;

    #[allow(clippy::indexing_slicing, reason = "while compiling, which an index out of range ends")]
    const fn push(&mut self, code: c_uint, if_so: u8, if_not: u8, k: u32) {
        self.code[self.at] = instruction(code, if_so, if_not, k);
        self.at += 1;
    }

    /// The jump from the instruction that comes next to this one.
    const fn to(&self, target: usize) -> u8 {
        let jump = target - self.at - 1;
        assert!(jump <= u8::MAX as usize, "too far");
        jump as u8
    }

    const fn call(&mut self, call: &Call) {
        let number = call.number as u32;
        let behind = self.at + block(call);
        let mut demands = call.demands;
        if demands.is_empty() {
            return self.push(IF_EQUAL, self.to(Self::ALLOWED), 0, number);
        }
        self.push(IF_EQUAL, 0, self.to(behind), number);
        while let [(argument, demand), rest @ ..] = demands {
            self.push(LOAD, 0, 0, ARGUMENTS + 8 * *argument);
            let denied = self.to(Self::DENIED);
            match *demand {
                Demand::Is(value) => self.push(IF_EQUAL, 0, denied, value),
                Demand::AtMost(value) => self.push(IF_GREATER, denied, 0, value),
                Demand::Above(value) => self.push(IF_GREATER, 0, denied, value),
                Demand::Without(bits) => self.push(IF_ANY_BIT, denied, 0, bits),
            }
            demands = rest;
        }
        self.push(RETURN, 0, 0, ALLOW);
    }
}
