//! The program gives no answer: never a refusal.

use std::fs;

use crate::checker::Checker;
use crate::config::Site;
use crate::server::{Exim, start};
use crate::smtp::{Reply, message};

/// Posts as a stranger to a list that refuses strangers.
fn post(exim: &Exim, list: &str) -> Reply {
    let mut smtp = exim.connect();
    let sender = "mallory@example.net";
    let reply = smtp.post(sender, &format!("{list}@lists.example.org"), &message(sender));
    // The session goes on.
    assert_eq!(smtp.command("NOOP").code, 250);
    smtp.quit();
    reply
}

/// With no answer `status`, the macro decides between 250 and 451; both are logged.
fn assert_no_answer(site: impl Fn() -> Site, status: &str, output: &str) {
    let Some(exim) = start(&site()) else { return };
    let reply = post(&exim, "team");
    assert_eq!(reply.code, 250, "status {status}: {reply:?}");
    let logged = format!("mm-query: team: accepted unchecked (status {status}): {output}");
    assert!(exim.log("main").contains(&logged), "{}", exim.log("main"));
    assert_eq!(exim.delivered_to(), ["team@lists.example.org"]);

    let Some(exim) = start(&site().set("MMQ_NO_ANSWER", "defer")) else { return };
    let reply = post(&exim, "team");
    assert_eq!(reply.code, 451, "status {status}: {reply:?}");
    assert!(reply.lines[0].starts_with("4.3.0 "), "{reply:?}");
    let logged = format!("mm-query: team: no answer (status {status}): {output}");
    assert!(exim.log("main").contains(&logged), "{}", exim.log("main"));
    assert_eq!(exim.delivered_to(), [""; 0]);
}

#[test]
fn the_program_is_missing() {
    assert_no_answer(|| Site { checker: Checker::Missing, ..Site::new() }, "127", "");
}

#[test]
fn other_statuses_are_no_answer() {
    for status in ["2", "64", "66", "70", "75", "77", "78", "101", "126", "137", "255"] {
        let script = format!("echo 'Out of\torder $x ${{run{{/bin/id}}}}' >&2; exit {status}");
        let seen = "Out of order $x ${run{/bin/id}}\\n";
        assert_no_answer(|| Site::with_script(&script), status, seen);
    }
}

#[test]
fn a_refusal_without_a_text_is_none() {
    for script in ["exit 1", "printf '\\n \\r\\n\\t\\001'; exit 1"] {
        assert_no_answer(|| Site::with_script(script), "1", "");
    }
}

#[test]
fn a_corrupt_list_is_not_a_refusal() {
    for (policy, code) in [("accept", 250), ("defer", 451)] {
        let Some(exim) = start(&Site::new().set("MMQ_NO_ANSWER", policy)) else { return };
        assert_eq!(post(&exim, "corrupt").code, code);
        assert!(exim.log("main").contains("(status 65)"), "{}", exim.log("main"));
    }
}

#[test]
fn a_list_that_vanishes_during_the_conversation_is_not_a_refusal() {
    let Some(exim) = start(&Site::new()) else { return };
    let mut smtp = exim.connect();
    smtp.mail("mallory@example.net");
    assert_eq!(smtp.rcpt("team@lists.example.org").code, 250);
    fs::remove_dir_all(exim.directory().join("lists/team")).unwrap();
    assert_eq!(smtp.data(&message("mallory@example.net")).code, 250);
    smtp.quit();
    assert!(exim.log("main").contains("accepted unchecked (status 67)"), "{}", exim.log("main"));
}

#[test]
fn endless_output_does_no_harm() {
    let flood = "head -c 1000000 /dev/zero | tr '\\0' ";
    for (letter, status, code) in
        [("x", 0, 250), ("x", 1, 550), ("'\\n'", 1, 250), ("'\\r'", 70, 250)]
    {
        let Some(exim) = start(&Site::with_script(&format!("{flood}{letter}; exit {status}")))
        else {
            return;
        };
        let reply = post(&exim, "team");
        assert_eq!(reply.code, code, "{letter} {status}: {} bytes", reply.raw.len());
        assert!(reply.raw.len() < 5_000, "{}", reply.raw.len());
        assert!(exim.log("main").len() < 3_000, "{}", exim.log("main").len());
    }
}

#[test]
fn a_text_cannot_forge_replies_or_log_lines() {
    let script =
        "printf '250 OK\\r\\n2000-01-01 forged\\n\\n\\0334\\033[31m${run{/bin/id}}'; exit 1";
    let Some(exim) = start(&Site::with_script(script)) else { return };
    let reply = post(&exim, "team");
    assert_eq!(reply.code, 550);
    let expected = ["5.7.1 250 OK ", "5.7.1 2000-01-01 forged", "5.7.1 4 [31m${run{/bin/id}}"];
    assert_eq!(reply.lines, expected);
    assert!(!reply.raw.windows(3).any(|three| three == b"\r\r\n"));
    let logged = "refused: 250 OK \\n2000-01-01 forged\\n\\n 4 [31m${run{/bin/id}}";
    assert!(exim.log("main").contains(logged), "{}", exim.log("main"));
}

#[test]
fn a_signal_is_a_temporary_failure_whatever_the_macro_says() {
    for signal in ["KILL", "SEGV", "ABRT", "TERM"] {
        let Some(exim) = start(&Site::with_script(&format!("kill -{signal} $$"))) else { return };
        let reply = post(&exim, "team");
        assert_eq!(reply.code, 451, "{signal}: {reply:?}");
        assert_eq!(exim.delivered_to(), [""; 0]);
    }
}

/// Takes Exim's own limit of a minute.
#[test]
fn a_program_that_hangs_is_a_temporary_failure() {
    let Some(exim) = start(&Site::with_script("exec sleep 1000")) else { return };
    let reply = post(&exim, "team");
    assert_eq!(reply.code, 451, "{reply:?}");
    assert!(exim.log("main").contains("command timed out"), "{}", exim.log("main"));
}
