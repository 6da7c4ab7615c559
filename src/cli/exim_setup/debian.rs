//! What of the site's own stands in the way of the snippets on Debian, said in words that help.

use crate::cli::exim_setup::plan::Tree;
use crate::cli::exim_setup::stage::includes_ours;
use crate::exim::layout::DEBIAN_ANSWERS;
use crate::exim::settings;
use crate::exim::verify::ENTRIES;
use crate::{files, limits};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Debian's macros for the ACLs, in the order of [`ENTRIES`], with Debian's values.
const MAIN_MACROS: [(&str, &str); 2] =
    [("MAIN_ACL_CHECK_RCPT", "acl_check_rcpt"), ("MAIN_ACL_CHECK_DATA", "acl_check_data")];
/// Debian's hook for further ACLs, of which the unsplit configuration has no other place.
const HOOK: &str = "CHECK_DATA_LOCAL_ACL_FILE";

/// The settings of an installation that is there.
pub(super) fn installed_settings(base: &Path) -> Option<String> {
    Tree::look(base).settings()
}

/// ACLs of the site's own in the places that ours take, unless the settings say that ours call
/// them.
pub(super) fn own_acls(
    tree: &Tree,
    macros: &BTreeMap<String, String>,
    settings: &str,
) -> Vec<String> {
    let mut lines = Vec::new();
    for ((name, debians), entry) in MAIN_MACROS.iter().zip(&ENTRIES) {
        let Some(value) = macros.get(*name) else { continue };
        let called = settings::value(settings, entry.site).unwrap_or(debians);
        if value == entry.ours || value == debians || value == called {
            continue;
        }
        lines.push(format!("your configuration sets {name} = {value}{}", place_of(tree, name)));
        lines.push(format!(
            "mm-query takes that place and calls yours: take that line out, and run this again \
             with --set={}={value}",
            entry.site
        ));
    }
    lines
}

/// The site's own file at Debian's hook, if it includes ours; else what the site has to do.
pub(super) fn own_hook(
    tree: &Tree,
    macros: &BTreeMap<String, String>,
) -> Result<Option<PathBuf>, Vec<String>> {
    let ours = tree.folder().join("unsplit-acl");
    let Some(value) = macros.get(HOOK).map(PathBuf::from).filter(|value| *value != ours) else {
        return Ok(None);
    };
    if includes_ours(&value, tree) {
        return Ok(Some(value));
    }
    Err(vec![
        format!("{} holds ACLs of yours: {HOOK} names it{}", value.display(), place_of(tree, HOOK)),
        "Debian's unsplit configuration has no other place for ours, so please add this line at \
         the end of that file, and run this again:"
            .to_owned(),
        format!("    .include_if_exists {}", ours.display()),
    ])
}

/// Where a macro is defined, in parentheses, for who has to change it.
fn place_of(tree: &Tree, name: &str) -> String {
    let mut candidates = vec![
        tree.base.join("exim4.conf.localmacros"),
        tree.base.join(DEBIAN_ANSWERS),
        tree.base.join("exim4.conf.template"),
    ];
    let listed = std::fs::read_dir(tree.base.join("conf.d/main")).into_iter().flatten();
    let mut main: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    main.sort();
    candidates.splice(0..0, main);
    for path in candidates {
        let Ok(Some(file)) = files::read(&path, limits::CONFIGURATION_BYTES) else { continue };
        if let Some(line) = definition(&file.text(), name) {
            return format!(" ({}, line {line})", path.display());
        }
    }
    String::new()
}

/// The line, from 1, that defines a macro in any case: not only where nothing else does.
fn definition(text: &str, name: &str) -> Option<usize> {
    let mut defaults = false;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start();
        match line.split_once(char::is_whitespace) {
            Some((".ifndef", rest)) if rest.trim() == name => defaults = true,
            _ if line.starts_with(".endif") => defaults = false,
            _ => {}
        }
        let rest = line.strip_prefix(name).map(str::trim_start);
        if !defaults && rest.is_some_and(|rest| rest.starts_with('=')) {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder like Debian's.
    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let tree = Tree::look(dir.path());
        (dir, tree)
    }

    fn macros(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn acls_of_the_sites_own_are_named_with_their_place() {
        let main = "conf.d/main/02_exim4-config_options";
        let debians = ".ifndef MAIN_ACL_CHECK_RCPT\nMAIN_ACL_CHECK_RCPT = acl_check_rcpt\n.endif\n";
        let own = "# ours\nMAIN_ACL_CHECK_RCPT = acl_own\n";
        let (dir, tree) = tree(&[(main, debians), ("conf.d/main/00_own", own)]);
        let defined = macros(&[("MAIN_ACL_CHECK_RCPT", "acl_own")]);
        let lines = own_acls(&tree, &defined, "");
        let place = format!("({}, line 2)", dir.path().join("conf.d/main/00_own").display());
        assert!(lines[0].ends_with(&place), "{lines:?}");
        assert!(lines[1].contains("--set=MMQ_SITE_RCPT=acl_own"), "{lines:?}");
        assert!(own_acls(&tree, &defined, "MMQ_SITE_RCPT = acl_own\n").is_empty());
        for value in ["acl_check_rcpt", "mmq_rcpt"] {
            assert!(own_acls(&tree, &macros(&[("MAIN_ACL_CHECK_RCPT", value)]), "").is_empty());
        }
        assert!(own_acls(&tree, &macros(&[]), "").is_empty());
    }

    #[test]
    fn a_hook_of_the_sites_own_must_include_ours() {
        let (dir, tree) = tree(&[("own.acl", "  warn\n"), ("exim4.conf.localmacros", "")]);
        let own = dir.path().join("own.acl");
        let defined = macros(&[(HOOK, own.to_str().unwrap())]);
        let lines = own_hook(&tree, &defined).unwrap_err();
        let line = lines.last().unwrap().trim().to_owned();
        assert_eq!(
            line,
            format!(".include_if_exists {}/mm-query/unsplit-acl", dir.path().display())
        );
        std::fs::write(&own, format!("  warn\n{line}\n")).unwrap();
        assert_eq!(own_hook(&tree, &defined), Ok(Some(own)));
        let ours = dir.path().join("mm-query/unsplit-acl");
        let defined = macros(&[(HOOK, ours.to_str().unwrap())]);
        assert_eq!(own_hook(&tree, &defined), Ok(None));
        assert_eq!(own_hook(&tree, &macros(&[])), Ok(None));
    }
}
