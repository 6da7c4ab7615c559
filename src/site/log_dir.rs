//! Where a site's logs are.

use super::{Error, Site, path_setting};
use std::path::{Path, PathBuf};

/// Where Debian's and RHEL's Mailman has its logs.
const PACKAGED: &str = "/var/log/mailman";

impl Site {
    /// Where Mailman's logs are: where `mm_cfg.py` says, else beside the lists, else where
    /// distributions have them.
    ///
    /// # Errors
    /// [`Error`]
    pub fn log_dir(&self) -> Result<PathBuf, Error> {
        if let Some(dir) = path_setting(&self.settings, "LOG_DIR", self.mm_cfg.as_deref())? {
            return Ok(dir);
        }
        let beside = self.var_prefix.join("logs");
        let known = [beside.as_path(), Path::new(PACKAGED)];
        match known.iter().find(|dir| dir.is_dir()) {
            Some(dir) => Ok(dir.to_path_buf()),
            None => Err(Error::NoInput(format!(
                "no directory of logs: there is no {}, no {PACKAGED}; name the files",
                beside.display()
            ))),
        }
    }
}
