//! Who may ask. Pure.

/// Who may ask through a Unix socket; everybody if both are empty.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// User ids.
    pub uids: Vec<u32>,
    /// Group ids.
    pub gids: Vec<u32>,
}

impl Allowed {
    /// Whether nobody is left out.
    pub fn everybody(&self) -> bool {
        self.uids.is_empty() && self.gids.is_empty()
    }

    /// Whether a client with these ids may ask.
    pub fn allows(&self, uid: u32, gid: u32) -> bool {
        self.everybody() || self.uids.contains(&uid) || self.gids.contains(&gid)
    }
}
