use super::bpf::{ALLOW, DENY};
use super::{ARCHITECTURE, CALLS, Call, Demand, FILTER, SERVER, SERVER_CALLS, SERVER_FILTER};
use proptest::prelude::*;
use seccompiler::sock_filter;

/// What the kernel makes of the filter for one call, as linux/filter.h and the manual page bpf(4) of
/// the BSDs tell; it panics on an instruction that is not one of ours.
fn run(architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    run_filter(&FILTER, architecture, number, arguments)
}

fn run_filter(filter: &[sock_filter], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let low = |value: u64| u32::try_from(value & 0xFFFF_FFFF).unwrap();
    let mut data = vec![number, architecture, 0, 0];
    data.extend(arguments.iter().flat_map(|&value| [low(value), low(value >> 32)]));
    let (mut at, mut word) = (0, 0);
    loop {
        let step = &filter[at];
        at += 1;
        let jump = |so: bool| usize::from(if so { step.jt } else { step.jf });
        match step.code {
            0x07 => {}
            0x20 => word = data[usize::try_from(step.k).unwrap() / 4],
            0x06 => return step.k,
            0x15 => at += jump(word == step.k),
            0x25 => at += jump(word > step.k),
            0x45 => at += jump(word & step.k != 0),
            code => panic!("instruction {code:#x}"),
        }
    }
}

fn meets(call: &Call, arguments: [u64; 6]) -> bool {
    call.demands.iter().all(|(argument, demand)| {
        let value = u32::try_from(arguments[*argument as usize] & 0xFFFF_FFFF).unwrap();
        match *demand {
            Demand::Is(only) => value == only,
            Demand::AtMost(most) => value <= most,
            Demand::Above(least) => value > least,
            Demand::Without(bits) => value & bits == 0,
        }
    })
}

fn listed(number: u32) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.number == i64::from(number))
}

#[test]
fn denied_is_an_error_number_and_no_signal() {
    assert_eq!(DENY, 0x0005_0000 + 38, "SECCOMP_RET_ERRNO and ENOSYS");
    assert_eq!(ALLOW, 0x7FFF_0000);
}

#[test]
fn each_call_is_listed_once() {
    let mut numbers: Vec<_> = CALLS.iter().map(|call| call.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), CALLS.len());
}

/// Arguments near what is demanded, and any others.
fn argument() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..8_u64,
        Just(u64::from(u32::MAX)),
        Just(u64::MAX),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..64_u32, 0..64_u32).prop_map(|(a, b)| (1 << a) | (1 << b)),
        Just(38_u64),
        any::<u64>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_program_does_what_the_list_says(
        listed_at in 0..CALLS.len(),
        near in -1..=1_i64,
        arguments in prop::array::uniform6(argument()),
    ) {
        let number = u32::try_from(CALLS[listed_at].number + near).unwrap_or(u32::MAX);
        let allowed = listed(number).is_some_and(|call| meets(call, arguments));
        let expected = if allowed { ALLOW } else { DENY };
        prop_assert_eq!(run(ARCHITECTURE, number, arguments), expected, "{}", number);
    }

    #[test]
    fn another_architecture_has_no_calls(architecture: u32, number in 0..600_u32) {
        prop_assume!(architecture != ARCHITECTURE);
        prop_assert_eq!(run(architecture, number, [3; 6]), DENY);
    }
}

#[test]
fn numbers_that_are_not_listed_are_denied() {
    // With bit 30 set they are those of x32, on the same architecture.
    let numbers = (0..2048).chain(0x4000_0000..0x4000_0800).chain(u32::MAX - 8..=u32::MAX);
    for number in numbers.filter(|n| listed(*n).is_none()) {
        assert_eq!(run(ARCHITECTURE, number, [3; 6]), DENY, "{number}");
    }
}

#[test]
fn calls_that_do_harm_are_denied() {
    let openat =
        |flags: i32| run(ARCHITECTURE, 257, [3, 0, u64::from(flags.cast_unsigned()), 0, 0, 0]);
    if cfg!(target_arch = "x86_64") {
        assert_eq!(openat(libc::O_RDONLY | libc::O_DIRECTORY), ALLOW);
        for flags in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC, libc::O_TMPFILE] {
            assert_eq!(openat(flags), DENY, "{flags:o}");
        }
    }
    let harmful = [
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_clone,
        libc::SYS_clone3,
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_ptrace,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_kill,
        libc::SYS_tgkill,
        libc::SYS_unlinkat,
        libc::SYS_renameat2,
        libc::SYS_mkdirat,
        libc::SYS_linkat,
        libc::SYS_ftruncate,
        libc::SYS_pwrite64,
        libc::SYS_writev,
        libc::SYS_dup3,
        libc::SYS_fcntl,
        libc::SYS_ioctl,
        libc::SYS_io_uring_setup,
        libc::SYS_bpf,
        libc::SYS_prlimit64,
        libc::SYS_seccomp,
    ];
    for number in harmful {
        let number = u32::try_from(number).unwrap();
        assert_eq!(run(ARCHITECTURE, number, [1; 6]), DENY, "{number}");
    }
}

#[test]
fn the_daemon_has_the_calls_of_a_query_and_its_own() {
    let mut numbers: Vec<_> = SERVER.iter().map(|call| call.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), SERVER.len(), "each once");
    assert!(CALLS.iter().chain(SERVER_CALLS).all(|call| numbers.contains(&call.number)));
    let run = |number: i64, arguments| {
        run_filter(&SERVER_FILTER, ARCHITECTURE, u32::try_from(number).unwrap(), arguments)
    };
    assert_eq!(run(libc::SYS_accept4, [9; 6]), ALLOW);
    assert_eq!(run(libc::SYS_write, [9; 6]), ALLOW);
    assert_eq!(run(libc::SYS_close, [2, 0, 0, 0, 0, 0]), DENY);
    for harmful in [
        libc::SYS_execve,
        libc::SYS_clone3,
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_sendmsg,
        libc::SYS_ptrace,
        libc::SYS_kill,
        libc::SYS_renameat2,
        libc::SYS_linkat,
        libc::SYS_ftruncate,
        libc::SYS_pidfd_getfd,
        libc::SYS_io_uring_setup,
        libc::SYS_seccomp,
    ] {
        assert_eq!(run(harmful, [9; 6]), DENY, "{harmful}");
    }
    let create = u64::from((libc::O_CREAT | libc::O_WRONLY).cast_unsigned());
    assert_eq!(run(libc::SYS_openat, [3, 0, create, 0, 0, 0]), DENY);
}
