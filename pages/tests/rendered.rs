//! The pages say what the program does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts test functions, not their helpers"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn rendered() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_pages")).arg(folder.path()).status().unwrap();
    assert!(status.success());
    folder
}

fn text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("text").join(name);
    std::fs::read_to_string(path).unwrap()
}

/// A page without roff's escapes of dashes.
fn page(path: PathBuf) -> String {
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
    text.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\fI", "")
}

#[test]
fn every_command_and_option_has_its_page_and_completion() {
    let folder = rendered();
    let definition = mm_query::cli::definition();
    let main = page(folder.path().join("mm-query.1"));
    let completion = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let (bash, zsh, fish) =
        (completion("mm-query.bash"), completion("_mm-query"), completion("mm-query.fish"));
    let mut seen = 0;
    for command in definition.get_subcommands() {
        let name = command.get_name();
        assert!(main.contains(&format!("mm-query-{name}(1)")), "{name}");
        let page = page(folder.path().join(format!("mm-query-{name}.1")));
        for option in command.get_opts().filter_map(|option| option.get_long()) {
            for (what, text) in [("page", &page), ("bash", &bash), ("zsh", &zsh), ("fish", &fish)] {
                assert!(text.contains(option), "{what} of {name}: {option}");
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn pages_are_proper_roff() {
    let folder = rendered();
    let mut pages: Vec<PathBuf> = ["mm-query.toml.5", "mm-query-wrapper.8"]
        .map(|name| Path::new(env!("CARGO_MANIFEST_DIR")).join("text").join(name))
        .to_vec();
    let made = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().path());
    pages.extend(made.filter(|path| path.extension().is_some_and(|e| e == "1")));
    for page in &pages {
        let run = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww"])
            .arg(page)
            .output()
            .expect("groff (tools/setup)");
        assert!(run.status.success() && !run.stdout.is_empty(), "{page:?}");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(said.trim().is_empty(), "{page:?}: {said}");
    }
    assert!(pages.len() > 6);
}

#[test]
fn the_keys_of_the_settings_are_those_of_the_program() {
    // The program names them all when it meets one that it does not know.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mm-query.toml");
    let read = |text: &str| {
        std::fs::write(&file, text).unwrap();
        std::os::unix::fs::chown(&file, Some(0), Some(0)).unwrap();
        mm_query::config::read(&file, 0)
    };
    let complaint = format!("{:#}", read("nosuch = 1\n").unwrap_err());
    let keys: Vec<&str> =
        complaint.split('`').skip(3).step_by(2).filter(|key| *key != "nosuch").collect();
    assert!(keys.len() >= 3 && keys.contains(&"lists_dir"), "{complaint}");
    let (example, page) = (text("mm-query.toml"), text("mm-query.toml.5"));
    for key in &keys {
        assert!(page.contains(&format!(".TP\n.B {key}\n")), "{key}");
        assert!(example.contains(&format!("\n#{key} = ")), "{key}");
    }
    // The example means what it says, commented out or not.
    assert_eq!(read(&example).unwrap(), mm_query::config::Config::default());
    let uncommented: String = example
        .lines()
        .map(|line| line.strip_prefix('#').filter(|l| !l.starts_with(' ')).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let all = read(&uncommented).unwrap();
    assert!(all.lists_dir.is_some() && all.mm_cfg.is_some() && all.lock_dir.is_some());
}

#[test]
fn the_wrapper_s_page_names_what_it_allows() {
    let page = text("mm-query-wrapper.8").replace("\\-", "-");
    for command in mm_query::cli::definition().get_subcommands() {
        let name = command.get_name();
        let allowed = name.starts_with("test-") || name == "list-domain";
        assert_eq!(page.contains(&format!("mm-query-wrapper {name}\n")), allowed, "{name}");
    }
}
