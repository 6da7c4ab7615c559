//! The daemon is asked: what it is asked, and what its silence and its end come to.

use std::time::{Duration, Instant};

use crate::config::{Site, Way};
use crate::daemon::{Canned, Socket};
use crate::server::{Exim, start};
use crate::smtp::{Reply, message};

const STRANGER: &str = "mallory@example.net";
const TEAM: &str = "team@lists.example.org";

fn post(exim: &Exim, text: &[u8]) -> Reply {
    let mut smtp = exim.connect();
    let reply = smtp.post(STRANGER, TEAM, text);
    assert_eq!(smtp.command("NOOP").code, 250, "the session goes on");
    smtp.quit();
    reply
}

/// A message to a list that is answered thus.
fn answered(answer: &[u8], options: &str) -> Option<(Reply, String)> {
    let daemon = Canned::start(Some(answer.to_vec()));
    let exim = start(&Site::with_daemon(&daemon).set("MMQ_OPTIONS", options))?;
    let reply = post(&exim, &message(STRANGER));
    Some((reply, exim.log("main")))
}

#[test]
fn only_a_refusal_refuses() {
    for (answer, options, code) in [
        ("accept\n", "", 250),
        ("undecided\n", "", 250),
        ("hold\nmoderators\n", "", 250),
        ("hold\nmoderators\n", "--held=refuse", 550),
        ("discard\nnobody\n", "", 550),
        ("discard\nnobody\n", "--discarded=permit", 250),
        ("reject\nno entry\n", "", 550),
        ("reject\nno entry", "--utf8", 550),
    ] {
        let Some((reply, log)) = answered(answer.as_bytes(), options) else { return };
        assert_eq!(reply.code, code, "{answer:?} {options}: {reply:?}");
        assert!(!log.contains("unchecked"), "{answer:?}: {log}");
    }
}

#[test]
fn everything_else_is_no_answer() {
    for (answer, logged) in [
        ("", "(status -): "),
        ("\n", "(status -): "),
        ("reject", "(status -): "),
        ("reject\n", "(status -): "),
        ("reject\n \r\n\t\n", "(status -): "),
        ("reject \nx", "(status -): x"),
        ("REJECT\nx", "(status -): x"),
        ("rejected\nx", "(status -): x"),
        ("hold\n", "(status -): "),
        ("error\n65 the file is damaged\n", "(status 65): the file is damaged"),
        ("error\n1 refused?\n", "(status 1): refused?"),
        ("error\n", "(status -): "),
        ("\0reject\nx", "(status -): "),
        ("550 no\n", "(status -): "),
    ] {
        let options = if answer.starts_with("hold") { "--held=refuse" } else { "" };
        let Some((reply, log)) = answered(answer.as_bytes(), options) else { return };
        assert_eq!(reply.code, 250, "{answer:?}: {reply:?}");
        assert!(log.contains(&format!("accepted unchecked {logged}")), "{answer:?}: {log}");
    }
}

#[test]
fn a_text_cannot_forge_replies_or_log_lines() {
    let answer = b"reject\n250 OK\r\n2000-01-01 forged\n\n\x1b[31m${run{/bin/id}}\n\n";
    let Some((reply, log)) = answered(answer, "") else { return };
    let expected = ["5.7.1 250 OK ", "5.7.1 2000-01-01 forged", "5.7.1 [31m${run{/bin/id}}"];
    assert_eq!((reply.code, reply.lines.as_slice()), (550, &expected.map(String::from)[..]));
    assert!(
        log.contains("refused: 250 OK \\n2000-01-01 forged\\n\\n [31m${run{/bin/id}}"),
        "{log}"
    );
    let flood = [b"reject\n".as_slice(), &[b'x'; 1_000_000]].concat();
    let Some((reply, log)) = answered(&flood, "") else { return };
    assert!(reply.raw.len() < 5_000 && log.len() < 3_000, "{} {}", reply.raw.len(), log.len());
}

#[test]
fn a_silent_daemon_counts_as_none() {
    let daemon = Canned::start(None);
    let site = Site::with_daemon(&daemon).set("MMQ_PATIENCE", "1s");
    for (policy, code) in [("accept", 250), ("defer", 451)] {
        let site = Site { macros: site.macros.clone(), ..Site::with_daemon(&daemon) };
        let Some(exim) = start(&site.set("MMQ_NO_ANSWER", policy)) else { return };
        assert_eq!(post(&exim, &message(STRANGER)).code, code);
        assert!(exim.log("main").contains("(status 75): nobody answers at inet:127.0.0.1"));
    }
}

#[test]
fn nobody_is_asked_at_a_socket_that_is_not_there() {
    for (policy, code) in [("accept", 250), ("defer", 451)] {
        let site = Site::with_script("exit 1").set("MMQ_SOCKET", "/nonexistent/socket");
        let Some(exim) = start(&site.set("MMQ_NO_ANSWER", policy)) else { return };
        let mut smtp = exim.connect();
        // Exim's client would spoil the second one.
        for _ in 0..3 {
            assert_eq!(smtp.post(STRANGER, TEAM, &message(STRANGER)).code, code);
        }
        smtp.quit();
        assert!(exim.log("main").contains("(status 75): nobody answers at /nonexistent/socket"));
    }
}

/// The value of a line of a question.
fn line<'a>(question: &'a str, key: &str) -> &'a str {
    let found = question.lines().find_map(|line| line.strip_prefix(&format!("{key}: ")));
    found.unwrap_or_else(|| panic!("{key} in {question}"))
}

fn question(set: impl Fn(Site) -> Site, text: &[u8]) -> Option<String> {
    let daemon = Canned::start(Some(b"accept\n".to_vec()));
    let exim = start(&set(Site::with_daemon(&daemon)))?;
    assert_eq!(post(&exim, text).code, 250);
    let mut questions = daemon.questions();
    assert_eq!(questions.len(), 1);
    Some(String::from_utf8(questions.remove(0)).unwrap())
}

#[test]
fn headers_go_as_they_are() {
    let value = "\"a}b\" <x@y.example>,\n\t${run{/bin/id}} \u{e4} --held=refuse: z";
    let text = format!("From: {value}\nReply-To: r\nTo: t\n\nHello\n");
    let Some(asked) = question(|site| site.set("MMQ_OPTIONS", "--utf8"), text.as_bytes()) else {
        return;
    };
    assert!(asked.starts_with("mm-query: 1\nquery: test-sender\nlist: team\n"), "{asked}");
    assert_eq!(line(&asked, "envelope-from-base64"), encoded(STRANGER));
    let listed = format!(" {}", value.replace(':', "::"));
    assert_eq!(line(&asked, "from-base64"), encoded(&listed));
    assert_eq!(line(&asked, "reply-to-base64"), encoded(" r"));
    assert_eq!(line(&asked, "sender-base64"), "");
    for (key, value) in
        [("approved", "no"), ("held", "permit"), ("discarded", "refuse"), ("utf8", "yes")]
    {
        assert_eq!(line(&asked, key), value);
    }
}

/// base64 in one line.
fn encoded(text: &str) -> String {
    crate::recorder::to_base64(text.as_bytes()).replace('\n', "")
}

/// What a client sends at once must fit into the socket's buffer.
#[test]
fn a_question_is_never_too_long_to_be_sent() {
    let long = format!("From: {}x@y.example\n", "a".repeat(60_000));
    let many = "X-Junk: ".to_owned() + &"b".repeat(900) + "\n";
    let text = format!(
        "{long}Sender: {0}\nReply-To: {0}\n{1}\nHi\n",
        "c".repeat(60_000),
        many.repeat(200)
    );
    for headers in [false, true] {
        let set = |site: Site| if headers { site.set("MMQ_HEADERS", "yes") } else { site };
        let Some(asked) = question(set, text.as_bytes()) else { return };
        assert!(asked.len() < 128_000, "{}", asked.len());
        assert_eq!(line(&asked, "approved"), "yes", "a cut header is no ground to refuse");
    }
}

/// All of Mailman's rules: the list's spam filter knows a subject.
#[test]
fn with_the_headers_all_rules_apply() {
    let way = Way::Daemon(Socket::Tcp);
    let site = || Site { way, ..Site::new() };
    let Some(exim) = start(&site().set("MMQ_HEADERS", "yes")) else { return };
    let mut smtp = exim.connect();
    let post = |smtp: &mut crate::smtp::Smtp, list: &str, text: &str| {
        smtp.post("alice@example.org", &format!("{list}@lists.example.org"), text.as_bytes())
    };
    let from = "From: alice@example.org\nTo: team@lists.example.org\n";
    assert_eq!(post(&mut smtp, "team", &format!("{from}\nHello\n")).code, 250);
    // Nobody's mail comes back to a list (Mailman: Cleanse, X-BeenThere).
    let looped = format!("{from}X-BeenThere: team@lists.example.org\n\nHello\n");
    let reply = post(&mut smtp, "team", &looped);
    assert_eq!(reply.code, 550, "{reply:?}");
    assert_eq!(smtp.post(STRANGER, TEAM, &message(STRANGER)).code, 550);
    // Junk that hides From: behind the cut.
    let junk = "X-Junk: ".to_owned() + &"b".repeat(900) + "\n";
    let hidden = format!("{}{from}\nHello\n", junk.repeat(90));
    assert_eq!(post(&mut smtp, "team", &hidden).code, 250);
    let hidden = format!("{}From: {STRANGER}\n\nHello\n", junk.repeat(90));
    assert_eq!(smtp.post(STRANGER, TEAM, hidden.as_bytes()).code, 550);
    let approved = format!("Approved: x\n{hidden}");
    assert_eq!(smtp.post(STRANGER, TEAM, approved.as_bytes()).code, 250);
    smtp.quit();
    assert!(!exim.log("main").contains("unchecked"), "{}", exim.log("main"));

    let Some(exim) = start(&site()) else { return };
    let mut smtp = exim.connect();
    assert_eq!(post(&mut smtp, "team", &looped).code, 250, "senders alone do not show a loop");
    smtp.quit();
}

/// Stopped, killed and started again under traffic: no message is lost, altered or refused wrongly.
#[test]
fn the_daemon_may_end_at_any_time() {
    for socket in [Socket::Tcp, Socket::Held] {
        let Some(mut exim) = start(&Site { way: Way::Daemon(socket), ..Site::new() }) else {
            return;
        };
        let mut asked = exim.asked.take().unwrap();
        let deadline = Instant::now() + Duration::from_secs(6);
        let (mut sent, mut ends) = (Vec::new(), 0_usize);
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..4)
                .map(|client| {
                    let mut smtp = exim.connect();
                    scope.spawn(move || {
                        let mut accepted = Vec::new();
                        for number in 0.. {
                            if Instant::now() > deadline {
                                break;
                            }
                            let id = format!("id-{client}-{number}-end");
                            let member = number % 2 == 0;
                            let from = if member { "alice@example.org" } else { STRANGER };
                            let text = format!("From: {from}\nSubject: {id}\n\nHello {id}\n");
                            let reply = smtp.post(from, TEAM, text.as_bytes());
                            match (reply.code, member) {
                                (250, _) => accepted.push(id),
                                (550, false) => {}
                                _ => panic!("{id}: {reply:?}"),
                            }
                        }
                        smtp.quit();
                        accepted
                    })
                })
                .collect();
            for round in 0.. {
                if Instant::now() > deadline {
                    break;
                }
                std::thread::sleep(Duration::from_millis(150));
                if round % 2 == 0 {
                    asked.kill()
                } else {
                    asked.stop()
                }
                std::thread::sleep(Duration::from_millis(50));
                asked.run();
                ends += 1;
            }
            sent = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        });
        let delivered = exim.deliveries();
        assert_eq!(delivered.len(), sent.len());
        for id in &sent {
            let body = format!("Subject: {id}\n\nHello {id}\n");
            assert_eq!(delivered.iter().filter(|mail| mail.text.contains(&body)).count(), 1);
        }
        // Whoever connects to a held socket while nobody listens waits for the next daemon; only a
        // question that is being written as the daemon ends fails, one of each client at most.
        let turned_away = exim.log("main").matches("nobody answers").count();
        match socket {
            Socket::Tcp => assert!(turned_away > 0),
            Socket::Held => assert!(turned_away <= 4 * ends, "{turned_away} of {ends} ends"),
        }
        asked.kill();
    }
}
