//! Links what unwinding needs into the program. As a shared library (libgcc_s), which std asks for
//! otherwise, it would be one more file to trust, and cost 0.1 ms at every start.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu") {
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
