//! Our snippets, which are part of the program: it and they are always of one version.

use crate::exim::layout::DEBIAN;
use std::path::{Path, PathBuf};

/// The macros, with what a site may set explained.
pub const MACROS: &str = include_str!("../../exim-snippets/macros");
/// Where `macros` presumes the wrapper.
pub const DEFAULT_WRAPPER: &str = "/usr/lib/mm-query/mm-query-wrapper";
/// Where `macros` presumes the lists.
pub const DEFAULT_LISTS: &str = "/var/lib/mailman/lists";
/// What `macros` presumes to be the domains of lists.
pub const DEFAULT_DOMAINS: &str = "+mailman_domains";
/// The access control lists.
pub const ACL: &str = include_str!("../../exim-snippets/acl");
/// A file of settings to begin with.
pub const SETTINGS: &str = include_str!("../../exim-snippets/debian/settings");

const SPLIT_MAIN: &str = include_str!("../../exim-snippets/debian/000_mm-query");
const SPLIT_ACL: &str = include_str!("../../exim-snippets/debian/45_mm-query");
const UNSPLIT_MAIN: &str = include_str!("../../exim-snippets/debian/unsplit-main");
const UNSPLIT_ACL: &str = include_str!("../../exim-snippets/debian/unsplit-acl");

/// The line in which the unsplit configuration takes the site's hook for our ACLs.
const HOOK: &str = "CHECK_DATA_LOCAL_ACL_FILE =";

/// How every file begins that `exim-setup` wrote, and no other.
pub const MARK: &str = "# mm-query exim-setup: ";

/// A file of ours, where it stands and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// Below Debian's `/etc/exim4`, or where that stands.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

/// What a site has chosen that changes our files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choices<'a> {
    /// `conf.d` is in use.
    pub split: bool,
    /// The text of the file of settings.
    pub settings: &'a str,
    /// The site has a file of its own at Debian's hook for further ACLs, which includes ours.
    pub own_hook: bool,
}

/// Whether a file of this text is one that `exim-setup` wrote.
pub fn is_ours(text: &str) -> bool {
    text.starts_with(MARK)
}

/// A text as `exim-setup` writes it: marked, and naming the folder that Debian's configuration is
/// in.
fn marked(text: &str, base: &Path) -> String {
    let text = text.replace(DEBIAN, &base.display().to_string());
    format!("{MARK}written by it; change the settings, not this.\n{text}")
}

/// The first file of settings, marked.
pub fn first_settings() -> String {
    format!("{MARK}yours to edit; --install keeps it, --remove takes it away.\n{SETTINGS}")
}

/// A file that any Exim includes: `macros` or `acl`.
pub fn shared(name: &str) -> Option<String> {
    let text = match name {
        "macros" => MACROS,
        "acl" => ACL,
        _ => return None,
    };
    Some(marked(text, Path::new(DEBIAN)))
}

/// The files for Debian, in an order in which each may be written without breaking a configuration
/// that is generated in between.
pub fn debian(base: &Path, choices: Choices<'_>) -> Vec<Snippet> {
    let ours = base.join("mm-query");
    let new = |path: PathBuf, text: &str| Snippet { path, text: marked(text, base) };
    let mut files = vec![
        Snippet { path: ours.join("settings"), text: choices.settings.to_owned() },
        new(ours.join("macros"), MACROS),
        new(ours.join("acl"), ACL),
    ];
    if choices.split {
        files.push(new(base.join("conf.d/acl/45_mm-query"), SPLIT_ACL));
        files.push(new(base.join("conf.d/main/000_mm-query"), SPLIT_MAIN));
    } else {
        files.push(new(ours.join("unsplit-acl"), UNSPLIT_ACL));
        let hook = |line: &&str| !(choices.own_hook && line.starts_with(HOOK));
        let main: String = UNSPLIT_MAIN.split_inclusive('\n').filter(hook).collect();
        files.push(new(ours.join("unsplit-main"), &main));
    }
    files
}

/// Every place of a file of ours in Debian's folder, whatever the layout, in an order in which each
/// may be removed: what is included after what includes it.
pub fn debian_places(base: &Path) -> Vec<PathBuf> {
    [
        "conf.d/main/000_mm-query",
        "conf.d/acl/45_mm-query",
        "mm-query/unsplit-main",
        "mm-query/unsplit-acl",
        "mm-query/acl",
        "mm-query/macros",
        "mm-query/settings",
    ]
    .iter()
    .map(|place| base.join(place))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(split: bool, own_hook: bool) -> Vec<Snippet> {
        let settings = first_settings();
        debian(Path::new("/stage"), Choices { split, settings: &settings, own_hook })
    }

    #[test]
    fn every_file_is_marked_and_has_a_known_place() {
        let places = debian_places(Path::new("/stage"));
        for file in files(true, false).into_iter().chain(files(false, true)) {
            assert!(is_ours(&file.text), "{}", file.path.display());
            assert!(places.contains(&file.path), "{}", file.path.display());
        }
        assert!(!is_ours("MAIN_TLS_ENABLE = yes\n"));
    }

    #[test]
    fn files_name_each_other_in_the_folder_that_they_are_written_for() {
        for split in [true, false] {
            let all: String = files(split, false).into_iter().map(|file| file.text).collect();
            let includes: Vec<_> = all.lines().filter(|l| l.starts_with(".include")).collect();
            assert!(includes.len() >= 3, "{includes:?}");
            assert!(includes.iter().all(|l| l.starts_with(".include /stage/mm-query/")));
        }
    }

    #[test]
    fn the_defaults_are_those_of_the_macros() {
        for (name, value) in [
            ("MMQ_WRAPPER", DEFAULT_WRAPPER),
            ("MMQ_LISTS", DEFAULT_LISTS),
            ("MMQ_DOMAINS", DEFAULT_DOMAINS),
        ] {
            assert!(MACROS.contains(&format!("\n{name} = {value}\n")), "{name}");
        }
    }

    #[test]
    fn a_hook_of_the_sites_own_is_left_to_it() {
        let hooked = |own| files(false, own).iter().any(|file| file.text.contains("\nCHECK_DATA"));
        assert!(hooked(false));
        assert!(!hooked(true));
    }
}
