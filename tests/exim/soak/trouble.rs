//! What goes wrong meanwhile: lists are replaced, disks fill, settings change.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::chown;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::verdicts::LISTS;
use crate::server;

/// How often what was done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) kills: u64,
    pub(super) rewrites: u64,
    pub(super) fills: u64,
    pub(super) settings: u64,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Done { kills, rewrites, fills, settings } = self;
        write!(f, "{kills} kills, {rewrites} lists written, {fills} times disks full, ")?;
        write!(f, "{settings} changes of mm_cfg.py")
    }
}

/// Waits a little; whether the soak goes on.
fn goes_on(over: &AtomicBool, time: Duration) -> bool {
    let until = Instant::now() + time;
    while Instant::now() < until && !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(20).min(time));
    }
    !over.load(Ordering::Relaxed)
}

/// Replaces a list's file as Mailman does (`MailList.__save`); it may fail on a full disk, and
/// then the old one stays.
fn replace(folder: &Path, text: &[u8], owner: (u32, u32)) -> io::Result<()> {
    let (file, last) = (folder.join("config.pck"), folder.join("config.pck.last"));
    let new = folder.join(format!("config.pck.tmp.mail.example.org.{}", std::process::id()));
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| {
        chown(&new, Some(owner.0), Some(owner.1))?;
        match fs::remove_file(&last) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::hard_link(&file, &last)?,
        }
        fs::rename(&new, &file)
    });
    if replaced.is_err() {
        let _ = fs::remove_file(&new);
    }
    replaced
}

/// Changes all lists between their two states, twenty times a second one of them.
pub(super) fn write_lists(root: &Path, over: &AtomicBool) -> u64 {
    let owner = server::account("list").unwrap();
    let mut count = 0;
    for turn in 1_usize.. {
        let (name, _) = LISTS[turn % LISTS.len()];
        let state = (turn / LISTS.len() % 2).to_string();
        let text = fs::read(root.join("states").join(state).join(name).join("config.pck")).unwrap();
        let replaced = replace(&root.join("lists").join(name), &text, owner);
        count += u64::from(replaced.is_ok());
        if !goes_on(over, Duration::from_millis(50)) {
            break;
        }
    }
    count
}

/// Fills the disk of the spool and that of the lists, and frees them again.
pub(super) fn fill_disks(root: &Path, time: Duration, over: &AtomicBool) -> u64 {
    // Half a minute has two fills, an hour sixty.
    let between = Duration::from_secs((time.as_secs() / 3).clamp(3, 58));
    let mut count = 0;
    while goes_on(over, between) {
        for disk in ["spool", "lists"] {
            let ballast = root.join(disk).join("ballast");
            let mut file = File::create(&ballast).unwrap();
            // Until nothing more goes in, in ever smaller pieces.
            for size in [1 << 16, 1 << 12, 1] {
                while file.write_all(&vec![b'x'; size]).is_ok() {}
            }
            count += 1;
            goes_on(over, Duration::from_secs(1));
            fs::remove_file(ballast).unwrap();
        }
    }
    count
}

/// The site's settings in one of several states; none of them makes Mailman refuse more.
pub(super) fn write_mm_cfg(root: &Path, state: u64) {
    let text = match state % 4 {
        0 => "from Defaults import *\nDEFAULT_URL_HOST = 'www.example.org'\n".to_owned(),
        1 => "from Defaults import *\nGLOBAL_PIPELINE.insert(0, 'Local')\n".to_owned(),
        2 => "from Defaults import *\nx = (\n".to_owned(),
        _ => format!(
            "from Defaults import *\n# {state}\nGLOBAL_BAN_LIST = ['^.*@spam[.]example$']\n"
        ),
    };
    let new = root.join("mm_cfg.py.new");
    fs::write(&new, text).unwrap();
    fs::rename(new, root.join("mm_cfg.py")).unwrap();
}

/// Changes the settings now and then; three quarters of the time they can be followed.
pub(super) fn change_mm_cfg(root: &Path, time: Duration, over: &AtomicBool) -> u64 {
    let between = Duration::from_secs((time.as_secs() / 12).clamp(1, 10));
    let mut state = 0;
    while goes_on(over, between) {
        state += 1;
        // What cannot be followed lasts for a second only.
        let odd = state % 4 == 1 || state % 4 == 2;
        write_mm_cfg(root, state);
        if odd && goes_on(over, Duration::from_secs(1)) {
            state += 1;
            write_mm_cfg(root, if state % 4 == 2 { 4 } else { state });
        }
    }
    state
}
