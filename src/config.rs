//! `/etc/mm-query.toml`: where the lists are, on a machine of no known layout.

use anyhow::{Context, bail};
use rustix::fs::{Mode, OFlags};
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the file is.
pub const PATH: &str = "/etc/mm-query.toml";

/// Bytes it may have.
const MAX_BYTES: u64 = 64 << 10;

/// What it may say.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The directory that holds a directory for each list.
    pub lists_dir: Option<PathBuf>,
    /// Mailman's site settings; without `lists_dir` they tell that too.
    pub mm_cfg: Option<PathBuf>,
    /// Mailman's directory of locks, for what takes any.
    pub lock_dir: Option<PathBuf>,
}

/// Reads the file, if there is one.
///
/// # Errors
/// It cannot be read or understood, or another than root could have written it (`owner` is
/// root's id, but for tests). All of them are [`crate::exit::Status::Config`].
pub fn read(path: &Path, owner: u32) -> anyhow::Result<Config> {
    // The opened file is what is checked and read, not whatever has its name a moment later.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(rustix::io::Errno::NOENT) => return Ok(Config::default()),
        Err(error) => return Err(error).context(format!("cannot open {}", path.display())),
    };
    let about = file.metadata().with_context(|| format!("cannot check {}", path.display()))?;
    if !about.is_file() {
        bail!("{} is not a regular file", path.display());
    }
    if about.uid() != owner {
        bail!("{} is not owned by root", path.display());
    }
    if about.mode() & 0o022 != 0 {
        bail!("{} can be written by others than root", path.display());
    }
    let mut text = String::new();
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let config: Config = toml::from_str(&text)
        .map_err(|e| anyhow::anyhow!("{}: {}", path.display(), e.message()))?;
    for path in [&config.lists_dir, &config.mm_cfg, &config.lock_dir].into_iter().flatten() {
        if !path.is_absolute() {
            bail!("{PATH}: {} is not an absolute path", path.display());
        }
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    struct Case {
        dir: tempfile::TempDir,
        owner: u32,
    }

    impl Case {
        fn new(text: &str) -> Case {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("c");
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            let owner = std::fs::metadata(&path).unwrap().uid();
            Case { dir, owner }
        }
        fn path(&self) -> PathBuf {
            self.dir.path().join("c")
        }
        fn error(&self) -> String {
            read(&self.path(), self.owner).unwrap_err().to_string()
        }
    }

    #[test]
    fn reads_both_paths() {
        let case = Case::new("lists_dir = '/srv/lists'\nmm_cfg = \"/srv/mm_cfg.py\"\n");
        let config = read(&case.path(), case.owner).unwrap();
        assert_eq!(config.lists_dir, Some("/srv/lists".into()));
        assert_eq!(config.mm_cfg, Some("/srv/mm_cfg.py".into()));
    }

    #[test]
    fn absent_is_empty() {
        assert_eq!(read(Path::new("/nonexistent/x"), 0).unwrap(), Config::default());
    }

    #[test]
    fn refuses_what_others_could_have_written() {
        let case = Case::new("");
        for mode in [0o664, 0o646, 0o777] {
            std::fs::set_permissions(case.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(case.error().contains("written by others"), "{mode:o}");
        }
        let case = Case::new("");
        assert!(read(&case.path(), case.owner + 1).unwrap_err().to_string().contains("owned"));
    }

    #[test]
    fn refuses_links_directories_and_pipes() {
        let case = Case::new("");
        let link = case.dir.path().join("link");
        symlink(case.path(), &link).unwrap();
        assert!(read(&link, case.owner).unwrap_err().to_string().contains("cannot open"));
        assert!(read(case.dir.path(), case.owner).unwrap_err().to_string().contains("regular"));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(Case::new("list_dir = '/x'").error().contains("unknown field"));
        assert!(Case::new("lists_dir = 'x'").error().contains("absolute"));
        assert!(Case::new("lists_dir = ").error().contains("c:"));
    }
}
