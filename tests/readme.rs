//! What README.md and `--help` show is what the program does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "clippy exempts test functions, not their helpers"
)]

use mm_query::exit::Status;
use std::path::Path;
use std::process::Command;

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    std::fs::read_to_string(path).unwrap()
}

/// Commands in `console` blocks, with what stands beneath each.
fn examples() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in readme().lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match line.strip_prefix("$ ") {
                Some(command) => found.push((command.to_owned(), String::new())),
                None => {
                    let shown = &mut found.last_mut().expect("a command first").1;
                    shown.push_str(line);
                    shown.push('\n');
                }
            },
        }
    }
    found
}

#[test]
fn the_examples_print_what_they_show() {
    let examples = examples();
    assert!(examples.len() >= 10, "only {} examples", examples.len());
    let bin = Path::new(env!("CARGO_BIN_EXE_mm-query"));
    let path = format!("{}:/usr/bin:/bin", bin.parent().unwrap().display());
    for (command, shown) in examples {
        let output = Command::new("/bin/sh")
            .args(["-c", &command])
            .env("PATH", &path)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let mut printed = String::from_utf8(output.stdout).unwrap();
        printed.push_str(&String::from_utf8(output.stderr).unwrap());
        if let Some(code) = output.status.code().filter(|code| *code != 0) {
            printed.push_str(&format!("[exit {code}]\n"));
        }
        assert_eq!(printed, shown, "$ {command}");
    }
}

#[test]
fn the_table_of_statuses_is_the_code_s() {
    let readme = readme();
    for status in Status::ALL {
        let row = format!("| {} | {} |", status.code(), status.meaning());
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn help_is_a_page_to_work_from() {
    let bin = env!("CARGO_BIN_EXE_mm-query");
    for (args, words) in [
        (&["--help"][..], &["test-sender", "list-domain", "Only 1 is a refusal"][..]),
        (
            &["test-sender", "--help"],
            &["--envelope-from", "--held", "undecided", "[default: permit]"],
        ),
        (&["list-domain", "--help"], &["DOMAIN", "host_name"]),
        (&["exim-setup", "--help"], &["--install", "--domains", "no conffile is touched"]),
        (&["doctor", "--help"], &["--json", "78 that there is one"]),
        (&["ban", "--help"], &["--all", "--force", "config.pck.last", "[default: 60]"]),
        (&["unban", "--help"], &["--dry-run", "--lock-dir"]),
        (&["banned", "--help"], &["GLOBAL_BAN_LIST"]),
        (&["lists", "--help"], &["--sort", "last-post", "[default: name]", "name@domain"]),
        (&["show", "--help"], &["LIST", "--json"]),
        (&["members", "--help"], &["ADDRESS", "equivalent_domains"]),
        (&["audit", "--help"], &["--json", "78 if there is a finding"]),
        (&["harden", "--help"], &["--language", "CAPTCHAS", "It changes nothing"]),
        (&["locks", "--help"], &["--remove-stale", "--host", "five hours"]),
        (&["serve", "--help"], &["--cache-size", "--allow-remote", "[default: 256M]", "SIGHUP"]),
        (&["ask", "--help"], &["--socket", "--no-fallback", "/run/mm-query/socket"]),
    ] {
        let output = Command::new(bin).args(args).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}");
        let help = String::from_utf8(output.stdout).unwrap();
        for status in Status::ALL {
            let row = format!("{:>2}  {}", status.code(), status.meaning());
            assert!(help.contains(&row), "{args:?}: {row}");
        }
        for word in words {
            assert!(help.contains(word), "{args:?}: {word}");
        }
    }
}
