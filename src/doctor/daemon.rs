//! The daemon that the snippets ask in place of the wrapper, asked as Exim's user.

use crate::accounts::Identity;
use crate::doctor::{Finding, State};
use crate::serve::client::{Answer, ask};
use crate::serve::listen::Address;
use std::ffi::OsStr;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A stranger's post to a list, in the protocol's words.
fn question(list: &str) -> String {
    format!(
        "mm-query: 1\nquery: test-sender\nlist: {list}\nenvelope-from: doctor@mm-query.invalid\n\n"
    )
}

/// Asks at `socket`, which is the snippets' `MMQ_SOCKET`, about one list; as `exim` if we are root.
pub fn examine(socket: &str, exim: Option<&Identity>, list: Option<&str>) -> Vec<Finding> {
    let address = match Address::parse(OsStr::new(socket)) {
        Ok(address) => address,
        Err(why) => {
            let text = format!("MMQ_SOCKET is {socket}: {why}");
            let advice = "set it to inet:127.0.0.1:4711 or to /run/mm-query/socket";
            return vec![Finding::problem("daemon", text, advice)];
        }
    };
    let request = list.map_or("mm-query: 1\nquery: ping\n\n".to_owned(), question);
    let asking = || ask(&address, request.as_bytes());
    let root = rustix::process::geteuid().is_root();
    let (who, answer) = match exim.filter(|_| root) {
        Some(exim) => match exim.run(asking) {
            Ok(answer) => (exim.name.as_str(), answer),
            Err(error) => {
                let text = format!("cannot act as {}: {error}", exim.name);
                return vec![Finding::other("daemon", State::Skipped, text, "run this as root")];
            }
        },
        None => ("this user", asking()),
    };
    let mut findings = vec![judge(&format!("{socket}, asked as {who}"), answer)];
    if let Address::Unix(path) = &address
        && !is_held(path)
    {
        let text = format!(
            "{socket} is not held by systemd: Exim corrupts its process while nobody answers there"
        );
        let advice = "systemctl enable --now mm-query.socket, or MMQ_SOCKET = inet:127.0.0.1:4711";
        findings.push(Finding::warning("daemon", text, advice));
    }
    findings
}

/// Whether the first process of the machine listens there: the kernel keeps who it was that began
/// to listen, whoever accepts.
fn is_held(path: &Path) -> bool {
    let Ok(stream) = UnixStream::connect(path) else { return false };
    let listener = rustix::net::sockopt::socket_peercred(&stream);
    listener.is_ok_and(|listener| listener.pid.is_init())
}

fn judge(asked: &str, answer: std::io::Result<Answer>) -> Finding {
    let start = "systemctl status mm-query.socket mm-query.service";
    match answer {
        Ok(answer) => match answer.error() {
            Some((code, why)) => {
                let text = format!("{asked}: no answer (status {code}): {why}");
                Finding::problem("daemon", text, "see what is said of the lists above")
            }
            None => Finding::good("daemon", format!("{asked}: it answers ({})", answer.word)),
        },
        Err(error) => Finding::problem("daemon", format!("{asked}: {error}"), start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// What is found of a daemon that says this.
    fn of(answer: &'static [u8]) -> Finding {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let socket = format!("inet:{}", listener.local_addr().unwrap());
        let daemon = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut question = Vec::new();
            stream.read_to_end(&mut question).unwrap();
            stream.write_all(answer).unwrap();
            question
        });
        let mut found = examine(&socket, None, Some("team"));
        assert!(daemon.join().unwrap().windows(10).any(|part| part == b"list: team"));
        assert_eq!(found.len(), 1);
        found.remove(0)
    }

    #[test]
    fn an_answer_is_good_and_an_error_a_problem() {
        assert_eq!(of(b"reject\nno\n").state, State::Good);
        assert_eq!(of(b"accept\n").state, State::Good);
        for bad in [b"error\n66 cannot read it\n".as_slice(), b"", b"nonsense\n"] {
            assert_eq!(of(bad).state, State::Problem, "{bad:?}");
        }
    }

    #[test]
    fn nobody_there_is_a_problem() {
        for socket in ["inet:127.0.0.1:1", "/nonexistent/socket", "localhost:4711"] {
            let found = examine(socket, None, None);
            assert_eq!(found.first().map(|one| one.state), Some(State::Problem), "{socket}");
        }
    }
}
