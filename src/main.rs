//! The program `mm-query`; everything it does is in the library.

fn main() -> std::process::ExitCode {
    mm_query::cli::main()
}
