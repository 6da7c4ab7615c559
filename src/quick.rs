//! The program behind the wrapper: `mm-query` with its queries alone. What changes a list, listens at
//! a socket or runs a program is not in it, and what is not in it need not be loaded for each message.

// musl's own allocator asks the kernel for every few objects: that took a query 0.5 ms of 1.6. This
// one has a lock for all threads, and is the daemon's loss; the daemon is the other program.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> std::process::ExitCode {
    mm_query::cli::main_of_queries()
}
