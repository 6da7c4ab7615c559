//! Lists and settings that change while the daemon runs.

use crate::support::{Running, answer, copy_lists, fixtures, service};
use mm_query::serve::service::Service;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

fn word(service: &Service, list: &str, sender: &str) -> String {
    let request = format!("mm-query: 1\nquery: test-sender\nlist: {list}\nfrom: {sender}\n");
    answer(service, request.as_bytes()).word
}

/// Puts a file in the place of another in one step, as Mailman does.
fn replace(file: &Path, bytes: &[u8]) {
    let new = file.with_extension("pck.tmp");
    std::fs::write(&new, bytes).unwrap();
    std::fs::rename(&new, file).unwrap();
}

fn pickle(list: &str) -> Vec<u8> {
    std::fs::read(fixtures().join("lists").join(list).join("config.pck")).unwrap()
}

#[test]
fn a_list_that_is_replaced_is_the_new_one_at_once() {
    let dir = tempfile::tempdir().unwrap();
    copy_lists(dir.path());
    let service = service(dir.path(), None);
    let file = dir.path().join("announce/config.pck");
    for _ in 0..20 {
        assert_eq!(word(&service, "announce", "eve@example.net"), "reject");
        replace(&file, &pickle("held"));
        assert_eq!(word(&service, "announce", "eve@example.net"), "hold");
        replace(&file, &pickle("announce"));
    }
    std::fs::remove_dir_all(dir.path().join("announce")).unwrap();
    assert_eq!(word(&service, "announce", "eve@example.net"), "error");
}

#[test]
fn a_corrupt_list_is_the_last_one_until_it_is_mended() {
    let dir = tempfile::tempdir().unwrap();
    copy_lists(dir.path());
    let service = service(dir.path(), None);
    let folder = dir.path().join("announce");
    std::fs::write(folder.join("config.pck.last"), pickle("held")).unwrap();
    assert_eq!(word(&service, "announce", "eve@example.net"), "reject");
    replace(&folder.join("config.pck"), b"(dp1\nnot a pickle");
    for _ in 0..3 {
        assert_eq!(word(&service, "announce", "eve@example.net"), "hold");
    }
    replace(&folder.join("config.pck.last"), b"neither");
    for _ in 0..3 {
        assert_eq!(word(&service, "announce", "eve@example.net"), "error");
    }
    replace(&folder.join("config.pck"), &pickle("announce"));
    assert_eq!(word(&service, "announce", "eve@example.net"), "reject");
    std::fs::write(folder.join("extend.py"), "").unwrap();
    assert_eq!(word(&service, "announce", "eve@example.net"), "undecided");
}

#[test]
fn settings_of_the_site_are_those_of_now() {
    let dir = tempfile::tempdir().unwrap();
    let lists = dir.path().join("lists");
    copy_lists(&lists);
    let mm_cfg = dir.path().join("mm_cfg.py");
    std::fs::write(&mm_cfg, "from Defaults import *\n").unwrap();
    let service = service(&lists, Some(&mm_cfg));
    assert_eq!(word(&service, "announce", "eve@example.net"), "reject");
    std::fs::write(&mm_cfg, "from Defaults import *\nGLOBAL_PIPELINE.insert(0, 'Ours')\n").unwrap();
    assert_eq!(word(&service, "announce", "eve@example.net"), "undecided");
    std::fs::remove_file(&mm_cfg).unwrap();
    assert_eq!(word(&service, "announce", "eve@example.net"), "error");
    std::fs::write(&mm_cfg, "from Defaults import *\n").unwrap();
    assert_eq!(word(&service, "announce", "eve@example.net"), "reject");
}

#[test]
fn least_recently_used_lists_go() {
    let dir = tempfile::tempdir().unwrap();
    copy_lists(dir.path());
    for n in 0..40 {
        std::fs::create_dir(dir.path().join(format!("copy{n}"))).unwrap();
        std::fs::copy(
            dir.path().join("team/config.pck"),
            dir.path().join(format!("copy{n}/config.pck")),
        )
        .unwrap();
    }
    let site = mm_query::site::Site::find(Some(dir.path()), None).unwrap();
    let sink = mm_query::serve::log::Sink::Stderr { journal: false };
    let (log, _) = mm_query::serve::log::new(sink, mm_query::serve::log::Level::Error);
    let service = Service::new(site, 100 << 10, log);
    for round in 0..3 {
        for n in 0..40 {
            assert_eq!(word(&service, "team", "alice@example.org"), "accept");
            assert_eq!(word(&service, &format!("copy{n}"), "alice@example.org"), "accept");
        }
        let (lists, bytes) = service.cache.size();
        assert!(lists < 30 && bytes <= 100 << 10, "{round}: {lists} lists, {bytes} bytes");
    }
    // The list that was asked all the time was read once.
    assert!(service.cache.evicted.load(Relaxed) > 80);
    assert_eq!(service.cache.reads.load(Relaxed), 121);
}

/// The command's answer, and the daemon's, read and at hand.
fn compare(service: &Service, dir: &Path, args: &[&str], request: &str) {
    let lists = format!("--lists-dir={}", dir.display());
    let args = ["mm-query"].iter().chain(args).map(|&arg| arg.into()).chain([lists.into()]);
    let outcome = mm_query::cli::run(args);
    let request = format!("mm-query: 1\n{request}json: yes\n");
    for _ in 0..2 {
        let answer = answer(service, request.as_bytes());
        match answer.error() {
            Some((code, why)) => {
                assert_eq!(Some(code), outcome.status.map(|s| s.code()), "{request}");
                assert!(outcome.stderr.contains(why), "{request}: {why}");
            }
            None => assert_eq!(answer.text, outcome.stdout, "{request}"),
        }
    }
}

#[test]
fn what_is_cached_is_what_is_read() {
    let dir = fixtures().join("lists");
    let service = service(&dir, None);
    let mut seen = 0;
    for list in dir.read_dir().unwrap() {
        let list = list.unwrap().file_name().into_string().unwrap();
        for sender in
            ["alice@example.org", "bob@example.org", "Carol@Example.ORG", "eve@example.net", ""]
        {
            let from = format!("--from={sender}");
            let args = ["test-sender", &list, &from, "--json"];
            let request = format!("query: test-sender\nlist: {list}\nfrom: {sender}\n");
            compare(&service, &dir, &args, &request);
            let args = ["test-subscribe", &list, sender, "--json"];
            let request = format!("query: test-subscribe\nlist: {list}\naddress: {sender}\n");
            compare(&service, &dir, &args, &request);
            seen += 1;
        }
        for dialect in ["2.1", "2.2"] {
            let option = format!("--dialect={dialect}");
            let args = ["test-subscribe", &list, "Bob@example.org", "--json", &option];
            let request = format!(
                "query: test-subscribe\nlist: {list}\naddress: Bob@example.org\ndialect: {dialect}\n"
            );
            compare(&service, &dir, &args, &request);
        }
        let request = format!("query: list-domain\nlist: {list}\n");
        compare(&service, &dir, &["list-domain", &list, "--json"], &request);
    }
    assert!(seen > 40);
}

#[test]
fn under_load_a_list_is_the_old_one_or_the_new_one() {
    let running = Running::new(&["--log=error", "--threads=2"]);
    let file = running.dir.path().join("lists/announce/config.pck");
    let (old, new) = (pickle("announce"), pickle("held"));
    let stop = AtomicBool::new(false);
    let asked: u32 = std::thread::scope(|scope| {
        let ask = || {
            let mut asked = 0;
            while !stop.load(Relaxed) {
                let word = running.sender("announce", "eve@example.net");
                assert!(word == "reject" || word == "hold", "{word}");
                assert_eq!(running.sender("team", "alice@example.org"), "accept");
                asked += 1;
            }
            asked
        };
        let clients: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            replace(&file, &new);
            assert_eq!(running.sender("announce", "eve@example.net"), "hold");
            replace(&file, &old);
            assert_eq!(running.sender("announce", "eve@example.net"), "reject");
        }
        stop.store(true, Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert!(asked > 10, "{asked}");
}
