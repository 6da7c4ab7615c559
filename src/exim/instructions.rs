//! What an administrator has to do, in words: which files, where, and what to add.

use crate::exim::about::Version;
use crate::exim::layout::{DEBIAN, Layout};
use crate::exim::snippets::{self, Choices, Snippet};
use crate::exim::{localmacros, settings};
use std::path::Path;

/// What is known of the Exim that the text is for.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Its version.
    pub version: Version,
    /// How its configuration is kept.
    pub layout: Layout,
    /// The text of the file of settings.
    pub settings: &'a str,
    /// The names of the ACLs that are asked at RCPT and at DATA now; `None` where that is not
    /// known, empty where there is none.
    pub present: Option<[String; 2]>,
}

/// A page of numbered steps.
struct Page {
    text: String,
    step: usize,
}

impl Page {
    fn step(&mut self, what: &str, lines: &str) {
        self.step = self.step.saturating_add(1);
        self.text.push_str(&format!("\n{}. {what}\n\n", self.step));
        for line in lines.lines() {
            let line = format!("    {line}");
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn note(&mut self, text: &str) {
        self.text.push_str(&format!("\n{text}\n"));
    }
}

/// The page.
pub fn text(facts: &Facts<'_>) -> String {
    let text = format!("Exim {}: {}\n", facts.version, facts.layout);
    let mut page = Page { text, step: 0 };
    if facts.layout.is_debian() {
        page.note("`mm-query exim-setup --install`, run as root, does all of this and checks it before it\n\
                   goes live. By hand, as root:");
    } else {
        page.note("As root:");
    }
    snippet_files(&mut page, facts);
    match &facts.layout {
        Layout::DebianSplit | Layout::DebianUnsplit => debian(&mut page, facts),
        Layout::OneFile(file) => one_file(&mut page, facts, file),
        Layout::Cpanel => cpanel(&mut page, facts),
    }
    page.note(
        "Exim's user must be able to look into the folders of the lists, and to run the wrapper:\n\
               `mm-query doctor`, run as root, tells whether it can, and what else is amiss.",
    );
    page.text
}

fn snippet_files(page: &mut Page, facts: &Facts<'_>) {
    let folder = facts.layout.folder();
    let folder = folder.display();
    page.step(
        "The snippets are in this program:",
        &format!(
            "install -d -m 755 {folder}\n\
             mm-query exim-setup --show=macros > {folder}/macros\n\
             mm-query exim-setup --show=acl > {folder}/acl"
        ),
    );
    let domains = settings::value(facts.settings, "MMQ_DOMAINS");
    let placeholder = if domains.is_none() { "MMQ_DOMAINS = lists.example.org\n" } else { "" };
    page.step(
        &format!("Your settings, a new file {folder}/settings:"),
        &(settings_lines(facts) + placeholder),
    );
    if domains.is_none() {
        page.note("   with the domains of your lists in place of lists.example.org.");
    }
}

fn debian(page: &mut Page, facts: &Facts<'_>) {
    let split = facts.layout == Layout::DebianSplit;
    let base = Path::new(DEBIAN);
    let choices = Choices { split, settings: facts.settings, own_hook: false };
    for Snippet { path, text } in snippets::debian(base, choices).into_iter().skip(3) {
        page.step(&format!("A new file {}:", path.display()), &bare(&text));
    }
    if !split {
        page.step(
            "At the beginning of /etc/exim4/exim4.conf.localmacros, a new file if you have none:",
            &localmacros::block(&facts.layout.folder()),
        );
    }
    page.step(
        "Check it, then let Exim have it:",
        "update-exim4.conf -o /root/candidate && exim4 -C /root/candidate -bV > /dev/null\n\
         update-exim4.conf && service exim4 reload",
    );
}

fn one_file(page: &mut Page, facts: &Facts<'_>, file: &Path) {
    let file = file.display();
    page.step(
        &format!(
            "In {file}, above the first \"begin\", in place of the lines that set\n   \
             acl_smtp_rcpt and acl_smtp_data{}:",
            now(facts)
        ),
        &main_lines(facts),
    );
    page.step(
        &format!("In {file}, below \"begin acl\", between two ACLs or after the last one:"),
        &acl_lines(facts),
    );
    let check = "exim -bV > /dev/null && systemctl reload exim";
    page.step("Check it, then let Exim's daemon read it (or send it a SIGHUP):", check);
}

fn cpanel(page: &mut Page, facts: &Facts<'_>) {
    page.step(
        &format!(
            "In WHM's Exim Configuration Manager, Advanced Editor, for the main section (CONFIG in\n   \
             /etc/exim.conf.local), changing acl_smtp_rcpt and acl_smtp_data{}:",
            now(facts)
        ),
        &main_lines(facts),
    );
    page.step(
        "There too, in the box directly below \"begin acl\" (BEGINACL in that file):",
        &acl_lines(facts),
    );
    page.step("Save; the editor checks the configuration and restarts Exim.", "");
    page.note("The editor's steps are not tested: we have no cPanel.");
}

fn main_lines(facts: &Facts<'_>) -> String {
    let folder = facts.layout.folder();
    let folder = folder.display();
    format!(
        ".include {folder}/settings\n.include {folder}/macros\n\
         acl_smtp_rcpt = mmq_rcpt\nacl_smtp_data = mmq_data"
    )
}

fn acl_lines(facts: &Facts<'_>) -> String {
    let include = format!(".include {}/acl", facts.layout.folder().display());
    let no_data = facts.present.as_ref().is_some_and(|[_, data]| data.is_empty());
    if no_data { format!("{include}\nacl_check_data:\n  accept") } else { include }
}

/// The present names, in parentheses.
fn now(facts: &Facts<'_>) -> String {
    match &facts.present {
        Some([rcpt, data]) => {
            let name = |name: &String| if name.is_empty() { "none".into() } else { name.clone() };
            format!(" (now {} and {})", name(rcpt), name(data))
        }
        None => {
            "\n   (their names go into the settings: MMQ_SITE_RCPT and MMQ_SITE_DATA)".to_owned()
        }
    }
}

/// The settings; a mark of ours stands only where `exim-setup` may write them later.
fn settings_lines(facts: &Facts<'_>) -> String {
    let bare = bare(facts.settings);
    match bare.split_once('\n') {
        Some((mark, rest)) if snippets::is_ours(mark) && !facts.layout.is_debian() => {
            rest.to_owned()
        }
        _ => bare,
    }
}

/// A text without its comments and empty lines, but with its mark.
fn bare(text: &str) -> String {
    let keep =
        |line: &&str| snippets::is_ours(line) || !(line.trim().is_empty() || line.starts_with('#'));
    text.split_inclusive('\n').filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use settings::{Change, change};

    fn page(layout: Layout, present: Option<[&str; 2]>) -> String {
        let domains = Change::define("MMQ_DOMAINS", "lists.example.org").unwrap();
        let settings = change(&snippets::first_settings(), &[domains]);
        let version = Version::parse("4.96").unwrap();
        let present = present.map(|names| names.map(str::to_owned));
        text(&Facts { version, layout, settings: &settings, present })
    }

    /// The files that a page says how to make, with what it shows of their text.
    fn shown(page: &str, file: &str) -> String {
        let (_, rest) = page.split_once(&format!("new file {file}")).expect(file);
        let lines = rest.lines().skip(2).map_while(|line| line.strip_prefix("    "));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn debians_pages_show_the_files_that_install_writes() {
        for (layout, split) in [(Layout::DebianSplit, true), (Layout::DebianUnsplit, false)] {
            let page = page(layout, None);
            let settings = shown(&page, "/etc/exim4/mm-query/settings");
            assert!(settings.ends_with("MMQ_DOMAINS = lists.example.org\n"), "{page}");
            let choices = Choices { split, settings: &settings, own_hook: false };
            for file in snippets::debian(Path::new(DEBIAN), choices).into_iter().skip(3) {
                let shown = shown(&page, &file.path.display().to_string());
                assert!(snippets::is_ours(&shown), "{shown}");
                assert_eq!(shown, bare(&file.text));
            }
            assert_eq!(page.contains("localmacros"), !split, "{page}");
        }
    }

    #[test]
    fn other_pages_name_what_is_there_now() {
        let page = page(
            Layout::OneFile("/etc/exim/exim.conf".into()),
            Some(["check_recipient", "check_message"]),
        );
        assert!(page.contains("(now check_recipient and check_message)"), "{page}");
        assert!(page.contains(".include /etc/exim/mm-query/macros"), "{page}");
        assert!(!page.contains("--install"), "{page}");
        let no_data = self::page(Layout::Cpanel, Some(["acl_smtp_rcpt", ""]));
        assert!(no_data.contains("(now acl_smtp_rcpt and none)"), "{no_data}");
        assert!(no_data.contains("acl_check_data:\n      accept\n"), "{no_data}");
        assert!(no_data.contains("BEGINACL"), "{no_data}");
    }
}
