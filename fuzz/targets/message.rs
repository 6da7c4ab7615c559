//! A whole `test-message`: any message to any of the sample lists has a verdict, the same one each
//! time, and with the headers alone no refusal that the whole message does not get as well.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::answer::{Policy, refusal_text};
use mm_query::mailman::post::{DmarcPolicy, Extent};
use mm_query::mailman::verdict::Decision;
use mm_query::python::Python;
use mm_query::query::message::{Question, judge};
use mm_query::site::Site;
use std::path::Path;
use std::sync::OnceLock;

/// The sites, and their lists' names.
static SITES: OnceLock<Vec<(Site, Vec<String>)>> = OnceLock::new();

fn open() -> Vec<(Site, Vec<String>)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let folders = ["lists", "corpus/a/lists", "corpus/b/lists", "corpus/g/lists", "corpus/i/lists"];
    let site = |folder: &str| {
        let lists = fixtures.join(folder);
        let mm_cfg = lists.with_file_name("mm_cfg.py");
        let mm_cfg = mm_cfg.exists().then_some(mm_cfg);
        let mut names: Vec<String> = lists
            .read_dir()
            .expect("a folder")
            .map(|entry| entry.expect("a list").file_name().into_string().expect("a name"))
            .collect();
        names.sort();
        (Site::find(Some(&lists), mm_cfg.as_deref()).expect("a site"), names)
    };
    folders.iter().map(|folder| site(folder)).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let [site, list, flags, raw @ ..] = bytes else { return };
    let sites = SITES.get_or_init(open);
    let (site, names) = &sites[usize::from(*site) % sites.len()];
    let name = names[usize::from(*list) % names.len()].as_bytes();
    let question = Question {
        raw,
        extent: Extent::Whole,
        dmarc: [None, Some(DmarcPolicy::None), Some(DmarcPolicy::Quarantine), Some(DmarcPolicy::Reject)]
            [usize::from(flags & 3)],
        dialect: [None, Some(Python::Two), Some(Python::Three), None][usize::from(flags >> 2 & 3)],
        policy: Policy { refuse_held: flags & 16 != 0, refuse_discarded: true },
        no_approval_in_body: false,
    };
    let Ok(whole) = judge(site, name, &question) else { return };
    let again = judge(site, name, &question).expect("it could be read before");
    assert_eq!(whole.verdict, again.verdict);
    let text = refusal_text(&whole.verdict, &whole.facts, flags & 32 != 0);
    assert!(text.len() < 4_000 && !text.contains('\r'), "{text:?}");
    let beginning = Question { extent: Extent::Beginning, ..question };
    let early = judge(site, name, &beginning).expect("it could be read before").verdict;
    let refuses = |decision| matches!(decision, Decision::Reject | Decision::Discard);
    // Where Mailman fails on the whole message it does not take it either.
    let taken = matches!(whole.verdict.decision, Decision::Accept | Decision::Hold);
    assert!(!(refuses(early.decision) && taken), "{early:?} but {:?}", whole.verdict);
});
