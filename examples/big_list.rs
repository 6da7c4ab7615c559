//! Writes a `config.pck` with many members, as cPickle writes it for Mailman 2.1 (protocol 1).
//!
//! `cargo run --release --example big_list -- MEMBERS [DIR] [--python3]`: about 96 bytes per
//! member. `--python3` writes what Python 3's pickle writes for the port.
#![allow(clippy::print_stderr, reason = "a tool for developers")]

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

/// Items that Python's picklers put between a MARK and its SETITEMS.
const BATCH: usize = 1000;
/// One member in this many has a bounce_info entry, and so on.
const BOUNCING: usize = 50;
const DISABLED: usize = 50;
const CASE_PRESERVED: usize = 10;
const NAMED: usize = 4;
const DIGEST: usize = 20;

fn main() -> io::Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let python3 = args.iter().any(|arg| arg == "--python3");
    args.retain(|arg| arg != "--python3");
    let Some(members) = args.first().and_then(|arg| arg.parse().ok()) else {
        eprintln!("usage: big_list MEMBERS [DIR] [--python3]");
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let dir = PathBuf::from(args.get(1).map_or(".", String::as_str));
    let out = BufWriter::new(File::create(dir.join("config.pck"))?);
    // cPickle counts memo numbers from 1, pickle from 0.
    let mut pickler = Pickler { out, next: u32::from(!python3), python3 };
    write_list(&mut pickler, members)?;
    pickler.out.flush()
}

struct Pickler<W> {
    out: W,
    /// The next memo number.
    next: u32,
    python3: bool,
}

impl<W: Write> Pickler<W> {
    fn op(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Files the top of the stack and says under which number.
    fn put(&mut self) -> io::Result<u32> {
        let number = self.next;
        self.next += 1;
        match u8::try_from(number) {
            Ok(byte) => self.op(&[b'q', byte])?,
            Err(_) => {
                self.op(b"r")?;
                self.op(&number.to_le_bytes())?;
            }
        }
        Ok(number)
    }

    fn get(&mut self, number: u32) -> io::Result<()> {
        match u8::try_from(number) {
            Ok(byte) => self.op(&[b'h', byte]),
            Err(_) => {
                self.op(b"j")?;
                self.op(&number.to_le_bytes())
            }
        }
    }

    fn string(&mut self, text: &str) -> io::Result<u32> {
        let len = u32::try_from(text.len()).map_err(io::Error::other)?;
        match u8::try_from(len) {
            _ if self.python3 => {
                self.op(b"X")?;
                self.op(&len.to_le_bytes())?;
            }
            Ok(len) => self.op(&[b'U', len])?,
            Err(_) => {
                self.op(b"T")?;
                self.op(&len.to_le_bytes())?;
            }
        }
        self.op(text.as_bytes())?;
        self.put()
    }

    fn int(&mut self, value: i32) -> io::Result<()> {
        if let Ok(byte) = u8::try_from(value) {
            return self.op(&[b'K', byte]);
        }
        if let Ok(short) = u16::try_from(value) {
            self.op(b"M")?;
            return self.op(&short.to_le_bytes());
        }
        self.op(b"J")?;
        self.op(&value.to_le_bytes())
    }

    fn float(&mut self, value: f64) -> io::Result<()> {
        self.op(b"G")?;
        self.op(&value.to_be_bytes())
    }

    fn bool(&mut self, value: bool) -> io::Result<()> {
        self.op(if value { b"I01\n" } else { b"I00\n" })
    }

    /// A tuple of small numbers.
    fn tuple(&mut self, numbers: &[i32]) -> io::Result<()> {
        self.op(b"(")?;
        for number in numbers {
            self.int(*number)?;
        }
        self.op(b"t")?;
        self.put().map(drop)
    }

    fn list(&mut self, items: &[&str]) -> io::Result<()> {
        self.op(b"]")?;
        self.put()?;
        match items {
            [] => Ok(()),
            [item] => {
                self.string(item)?;
                self.op(b"a")
            }
            _ => {
                self.op(b"(")?;
                for item in items {
                    self.string(item)?;
                }
                self.op(b"e")
            }
        }
    }

    /// A dict of `items`, each of which `write` writes as a key and a value.
    fn dict(
        &mut self,
        items: &[usize],
        mut write: impl FnMut(&mut Self, usize) -> io::Result<()>,
    ) -> io::Result<()> {
        self.op(b"}")?;
        self.put()?;
        for batch in items.chunks(BATCH) {
            if let [item] = batch {
                write(self, *item)?;
                self.op(b"s")?;
                continue;
            }
            self.op(b"(")?;
            for item in batch {
                write(self, *item)?;
            }
            self.op(b"u")?;
        }
        Ok(())
    }
}

fn address(member: usize) -> String {
    format!("u{member:07}@h{:03}.example", member % 1000)
}

/// The members for which `pick` says so.
fn some(members: usize, pick: impl Fn(usize) -> bool) -> Vec<usize> {
    (0..members).filter(|member| pick(*member)).collect()
}

fn write_list<W: Write>(p: &mut Pickler<W>, members: usize) -> io::Result<()> {
    p.op(b"}")?;
    p.put()?;
    p.op(b"(")?;
    settings(p, FIRST)?;
    // Memo numbers of the members' addresses.
    let mut keys = vec![0; members];
    let digest = |member: usize| member % DIGEST == 1;
    p.string("digest_members")?;
    p.dict(&some(members, digest), |p, member| {
        let key = p.string(&address(member))?;
        if let Some(place) = keys.get_mut(member) {
            *place = key;
        }
        p.int(0)
    })?;
    p.string("passwords")?;
    p.dict(&some(members, |_| true), |p, member| {
        p.string(&address(member))?;
        p.string(&format!("pw{:03}", member * 7919 % 1000)).map(drop)
    })?;
    p.string("bounce_info")?;
    let mut bounces = Bounces::default();
    p.dict(&some(members, |member| member % BOUNCING == 7), |p, member| bounces.write(p, member))?;
    settings(p, SECOND)?;
    p.string("members")?;
    p.dict(&some(members, |member| !digest(member)), |p, member| {
        let key = p.string(&address(member))?;
        if let Some(place) = keys.get_mut(member) {
            *place = key;
        }
        if member % CASE_PRESERVED == 3 {
            return p.string(&address(member).replace('u', "U")).map(drop);
        }
        p.int(0)
    })?;
    let key = |member: usize| keys.get(member).copied().unwrap_or(0);
    p.string("delivery_status")?;
    p.dict(&some(members, |member| member % DISABLED == 9), |p, member| {
        p.get(key(member))?;
        p.op(b"(")?;
        p.int(2)?;
        p.float(1_795_180_023.25)?;
        p.op(b"t")?;
        p.put().map(drop)
    })?;
    p.string("preferred_language")?;
    let language = p.string("en")?;
    p.string("language")?;
    p.dict(&some(members, |_| true), |p, member| {
        p.get(key(member))?;
        p.get(language)
    })?;
    p.string("usernames")?;
    p.dict(&some(members, |member| member % NAMED == 0), |p, member| {
        p.get(key(member))?;
        p.string(&format!("Name {member:05}")).map(drop)
    })?;
    p.string("user_options")?;
    p.dict(&some(members, |member| member % 5 < 3), |p, member| {
        p.get(key(member))?;
        p.int(if member % 10 == 0 { 384 } else { 256 })
    })?;
    settings(p, LAST)?;
    p.op(b"u.")
}

/// Memo numbers that all instances share, once the first is written.
#[derive(Default)]
struct Bounces {
    shared: Vec<u32>,
}

impl Bounces {
    /// The same string or class again: `index` in the order of their first use.
    fn again<W: Write>(
        &mut self,
        p: &mut Pickler<W>,
        index: usize,
        first: impl FnOnce(&mut Pickler<W>) -> io::Result<u32>,
    ) -> io::Result<()> {
        if let Some(number) = self.shared.get(index) {
            return p.get(*number);
        }
        let number = first(p)?;
        self.shared.push(number);
        Ok(())
    }

    fn global<W: Write>(&mut self, p: &mut Pickler<W>, index: usize, name: &str) -> io::Result<()> {
        self.again(p, index, |p| {
            p.op(format!("c{name}\n").as_bytes())?;
            p.put()
        })
    }

    fn name<W: Write>(&mut self, p: &mut Pickler<W>, index: usize, name: &str) -> io::Result<()> {
        self.again(p, index, |p| p.string(name))
    }

    fn write<W: Write>(&mut self, p: &mut Pickler<W>, member: usize) -> io::Result<()> {
        p.string(&address(member))?;
        if p.python3 {
            self.global(p, 0, "copy_reg\n_reconstructor")?;
            p.op(b"(")?;
            self.global(p, 1, "Mailman.Bouncer\n_BounceInfo")?;
            self.global(p, 2, "__builtin__\nobject")?;
            p.op(b"Nt")?;
            p.put()?;
            p.op(b"R")?;
        } else {
            p.op(b"(")?;
            self.global(p, 0, "Mailman.Bouncer\n_BounceInfo")?;
            p.op(b"o")?;
        }
        p.put()?;
        let name = if p.python3 { 3 } else { 1 };
        p.op(b"}")?;
        p.put()?;
        p.op(b"(")?;
        self.name(p, name, "noticesleft")?;
        p.int(3)?;
        self.name(p, name + 1, "lastnotice")?;
        p.tuple(&[1970, 1, 2])?;
        self.name(p, name + 2, "member")?;
        p.string(&address(member))?;
        self.name(p, name + 3, "score")?;
        p.float(1.0)?;
        self.name(p, name + 4, "cookie")?;
        p.op(b"N")?;
        self.name(p, name + 5, "date")?;
        p.tuple(&[2026, 5, 4])?;
        p.op(b"ub")
    }
}

/// A setting's value.
enum Set {
    No,
    Yes,
    Int(i32),
    Float(f64),
    Text(&'static str),
    List(&'static [&'static str]),
    Empty,
}

use Set::{Empty, Float, Int, List, No, Text, Yes};

fn settings<W: Write>(p: &mut Pickler<W>, settings: &[(&str, Set)]) -> io::Result<()> {
    for (name, value) in settings {
        p.string(name)?;
        match value {
            No => p.bool(false)?,
            Yes => p.bool(true)?,
            Int(value) => p.int(*value)?,
            Float(value) => p.float(*value)?,
            Text(text) => p.string(text).map(drop)?,
            List(items) => p.list(items)?,
            Empty => p.dict(&[], |_, _| Ok(()))?,
        }
    }
    Ok(())
}

/// Settings that a real list has before its members (in the order of Python 2's dict).
const FIRST: &[(&str, Set)] = &[
    ("send_welcome_msg", Yes),
    ("moderator", List(&[])),
    ("anonymous_list", No),
    ("advertised", Yes),
    ("administrivia", Int(0)),
    ("unsubscribe_policy", Int(0)),
    ("one_last_digest", Empty),
    ("digest_last_sent_at", Int(0)),
    ("scrub_nondigest", No),
    ("pass_mime_types", List(&[])),
    ("welcome_msg", Text("")),
    ("subscribe_auto_approval", List(&[])),
    ("bounce_notify_owner_on_bounce_increment", No),
    ("gateway_to_news", Int(0)),
    ("topics_enabled", Int(0)),
    ("admin_notify_mchanges", No),
    ("dmarc_moderation_notice", Text("Your domain says p=reject.")),
    ("emergency", Int(0)),
    ("admin_member_chunksize", Int(30)),
    ("from_is_list", Int(0)),
    ("digest_volume_frequency", Int(1)),
    ("digest_is_default", No),
    ("bounce_info_stale_after", Int(604_800)),
    ("filter_filename_extensions", List(&[])),
    ("password", Text("0000000000000000000000000000000000000000")),
    ("postings_responses", Empty),
    ("hold_and_cmd_autoresponses", Empty),
    ("header_filter_rules", List(&[])),
    ("real_name", Text("Big")),
    ("host_name", Text("lists.example.org")),
    ("reject_these_nonmembers", List(&[])),
    ("collapse_alternatives", Yes),
    ("linked_newsgroup", Text("")),
    ("send_reminders", Yes),
    ("regular_exclude_ignore", Yes),
    ("regular_include_lists", List(&[])),
    ("hold_these_nonmembers", List(&[])),
    ("admin_responses", Empty),
];

/// Settings between `bounce_info` and `members`.
const SECOND: &[(&str, Set)] = &[
    ("include_sender_header", Int(1)),
    ("description", Text("")),
    ("bounce_matching_headers", Text("# a comment\nto: friend@public\\.example")),
    ("bounce_score_threshold", Float(5.0)),
    ("member_verbosity_threshold", Int(0)),
    ("nondigestable", Yes),
    ("autorespond_admin", Int(0)),
    ("bounce_notify_owner_on_removal", Yes),
    ("pass_filename_extensions", List(&[])),
    ("autoresponse_request_text", Text("")),
    ("obscure_addresses", Yes),
    ("filter_mime_types", List(&["image", "application/zip"])),
    ("personalize", Int(0)),
    ("acceptable_aliases", Text("\n")),
    ("max_num_recipients", Int(0)),
    ("post_id", Float(1.0)),
];

/// All other settings.
const LAST: &[(&str, Set)] = &[
    ("send_goodbye_msg", Yes),
    ("dmarc_quarantine_moderation_action", Int(0)),
    ("max_days_to_hold", Int(0)),
    ("filter_action", Int(1)),
    ("msg_footer", Text("footer")),
    ("autorespond_requests", Int(0)),
    ("msg_header", Text("")),
    ("max_message_size", Int(1)),
    ("archive_volume_frequency", Int(1)),
    ("admin_immed_notify", Yes),
    ("next_request_id", Int(1)),
    ("info", Text("")),
    ("bounce_you_are_disabled_warnings", Int(3)),
    ("private_roster", Int(1)),
    ("require_explicit_destination", Int(0)),
    ("dmarc_wrapped_message_text", Text("")),
    ("gateway_to_mail", Int(0)),
    ("digest_send_periodic", Yes),
    ("default_member_moderation", No),
    ("owner", List(&["admin@example.org"])),
    ("drop_cc", Yes),
    ("ban_list", List(&[])),
    ("umbrella_list", No),
    ("member_moderation_notice", Text("Members of this list are moderated.\nPlease wait.")),
    ("dmarc_none_moderation_action", No),
    ("bounce_you_are_disabled_warnings_interval", Int(604_800)),
    ("accept_these_nonmembers", List(&["friend@example.org", "^.*@partner\\.example$"])),
    ("digest_footer", Text("footer")),
    ("next_post_number", Int(1)),
    ("discard_these_nonmembers", List(&["^spam@"])),
    ("respond_to_post_requests", Yes),
    ("mime_is_default_digest", No),
    ("subject_prefix", Text("[Big] ")),
    ("volume", Int(1)),
    ("convert_html_to_plaintext", Yes),
    ("umbrella_member_suffix", Text("-owner")),
    ("available_languages", List(&["en"])),
    ("next_digest_number", Int(1)),
    ("autorespond_postings", Int(0)),
    ("encode_ascii_prefixes", Int(0)),
    ("reply_goes_to_list", Int(0)),
    ("digest_header", Text("")),
    ("autoresponse_admin_text", Text("")),
    ("topics_userinterest", Empty),
    ("include_list_post_header", Int(1)),
    ("news_moderation", Int(2)),
    ("last_post_time", Int(0)),
    ("web_page_url", Text("http://lists.example.org/mailman/")),
    ("topics", List(&[])),
    ("bounce_notify_owner_on_disable", Yes),
    ("goodbye_msg", Text("")),
    ("topics_bodylines_limit", Int(5)),
    ("archive", Yes),
    ("filter_content", Int(0)),
    ("generic_nonmember_action", Int(1)),
    ("mod_password", Text("")),
    ("member_moderation_action", Int(0)),
    ("request_responses", Empty),
    ("data_version", Int(112)),
    ("nonmember_rejection_notice", Text("Only members may post.\n\nSee the list page.")),
    ("first_strip_reply_to", No),
    ("nntp_host", Text("")),
    ("news_prefix_subject_too", Int(1)),
    ("post_password", Text("")),
    ("bounce_processing", Yes),
    ("archive_private", Int(0)),
    ("equivalent_domains", Text("")),
    ("reply_to_address", Text("")),
    ("include_rfc2369_headers", Int(1)),
    ("forward_auto_discards", Int(0)),
    ("regular_exclude_lists", List(&[])),
    ("digest_size_threshhold", Int(30)),
    ("digestable", Yes),
    ("new_member_options", Int(256)),
    ("dmarc_moderation_action", Int(1)),
    ("created_at", Float(1_795_180_023.25)),
    ("member_verbosity_interval", Int(300)),
    ("autoresponse_graceperiod", Int(90)),
    ("subscribe_policy", Int(1)),
    ("bounce_unrecognized_goes_to_list_owner", Yes),
    ("autoresponse_postings_text", Text("")),
    ("dmarc_moderation_addresses", List(&[])),
];
