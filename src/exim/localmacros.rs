//! Debian's `exim4.conf.localmacros`: a file of the site's own, in which ours is a block of lines.
//!
//! The block stands at the beginning, so that every byte of the site's is as it was once the block
//! is gone. A file that is nothing but the block is one that we made.

use std::path::Path;

const BEGIN: &str = "# mm-query exim-setup: begin\n";
const END: &str = "# mm-query exim-setup: end\n";

/// The block that includes our file for the unsplit configuration, in the folder of our files.
pub fn block(folder: &Path) -> String {
    format!("{BEGIN}.include {}/unsplit-main\n{END}", folder.display())
}

/// The text without a block of ours, if it has one.
pub fn without_block(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some([before, after].concat())
}

/// The text with the block in it, once.
pub fn with_block(text: &str, folder: &Path) -> String {
    let rest = without_block(text);
    block(folder) + rest.as_deref().unwrap_or(text)
}

/// Whether a line of the site's own includes our file of this name.
pub fn includes(text: &str, folder: &Path, name: &str) -> bool {
    let ours = folder.join(name).display().to_string();
    text.lines().any(|line| {
        let mut words = line.split_whitespace();
        let include = matches!(words.next(), Some(".include" | ".include_if_exists"));
        include && words.next() == Some(&ours) && words.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "/etc/exim4/mm-query";

    #[test]
    fn the_sites_bytes_come_back() {
        let folder = Path::new(FOLDER);
        for site in ["", "MAIN_TLS_ENABLE = yes\n", "no end of line", "\n\n# a\r\n"] {
            let with = with_block(site, folder);
            assert!(with.starts_with(BEGIN) && with.ends_with(site), "{with:?}");
            assert_eq!(with_block(&with, folder), with);
            assert_eq!(without_block(&with).unwrap(), site);
            assert_eq!(without_block(site), None);
        }
        assert_eq!(with_block("", folder), block(folder));
    }

    #[test]
    fn a_block_that_was_moved_or_cut_short() {
        let folder = Path::new(FOLDER);
        let moved = format!("A = b\n{}C = d\n", block(folder));
        assert_eq!(without_block(&moved).unwrap(), "A = b\nC = d\n");
        let cut = block(folder).replace(END, "");
        assert_eq!(without_block(&cut), None);
    }

    #[test]
    fn an_include_of_the_sites_own_is_seen() {
        let folder = Path::new(FOLDER);
        for (line, seen) in [
            (".include /etc/exim4/mm-query/unsplit-main", true),
            ("  .include_if_exists   /etc/exim4/mm-query/unsplit-main  ", true),
            ("#.include /etc/exim4/mm-query/unsplit-main", false),
            (".include /etc/exim4/mm-query/unsplit-main2", false),
            (".include /etc/exim4/mm-query/unsplit-acl", false),
        ] {
            let text = format!("A = b\n{line}\n");
            assert_eq!(includes(&text, folder, "unsplit-main"), seen, "{line}");
        }
    }
}
