//! `mm-query members`

use crate::answer::{json_line, one_line};
use crate::cli::args::Members;
use crate::cli::table::table;
use crate::cli::{Failure, Outcome, admin, find_site};
use crate::list::store::Wanted;
use crate::overview::membership::{Delivery, Membership, of_addresses};
use serde_json::json;
use std::os::unix::ffi::OsStrExt;

/// Looks each address up.
pub(super) fn run(args: &Members) -> Result<Outcome, Failure> {
    admin::not_set_id()?;
    let site = find_site(&args.site)?;
    let found = site.load(args.list.as_bytes(), Wanted::of_senders(&[]))?;
    let addresses: Vec<&[u8]> = args.addresses.iter().map(|address| address.as_bytes()).collect();
    let memberships = of_addresses(&site, &found, &addresses)?;
    let answers: Vec<_> = addresses.into_iter().zip(memberships).collect();
    let stdout = if args.json {
        let all: Vec<_> = answers.iter().map(|(address, found)| as_json(address, found)).collect();
        json_line(&json!({"list": found.name.as_str(), "addresses": all}))
    } else {
        let row = |(address, found): &(&[u8], Option<Membership>)| {
            vec![String::from_utf8_lossy(address).into_owned(), words(address, found.as_ref())]
        };
        table(&answers.iter().map(row).collect::<Vec<_>>())
    };
    let line = |w: &String| format!("mm-query: warning: {}\n", one_line(w));
    let stderr = found.warnings.iter().map(line).collect();
    Ok(Outcome { status: None, stdout, stderr })
}

fn as_json(address: &[u8], found: &Option<Membership>) -> serde_json::Value {
    let text = String::from_utf8_lossy(address);
    match found {
        None => json!({"address": text, "member": false}),
        Some(found) => json!({
            "address": text,
            "member": true,
            "as": found.address.to_lossy(),
            "digests": found.digests,
            "moderated": found.moderated,
            "nomail": found.delivery.map(Delivery::word),
            "bouncing": found.bouncing,
        }),
    }
}

/// `member (as ...), digests, moderated, no mail (by ...), bouncing`
fn words(address: &[u8], found: Option<&Membership>) -> String {
    let Some(found) = found else { return "no member".to_owned() };
    let mut words = vec!["member".to_owned()];
    let own = found.address.as_bytes();
    if !own.eq_ignore_ascii_case(address) {
        words = vec![format!("member as {}", found.address.to_lossy())];
    }
    words.extend(found.digests.then(|| "digests".to_owned()));
    words.extend(found.moderated.then(|| "moderated".to_owned()));
    words.extend(found.delivery.map(|by| format!("no mail ({})", by.word())));
    words.extend(found.bouncing.then(|| "bouncing".to_owned()));
    words.join(", ")
}
