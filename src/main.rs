//! The program `mm-query`; everything it does is in the library.

// musl's own allocator asks the kernel for every few objects: that took a query 0.5 ms of 1.6. This
// one is the daemon's loss, whose threads would wait for each other; the daemon is built for GNU's
// library (Makefile).
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> std::process::ExitCode {
    mm_query::cli::main()
}
