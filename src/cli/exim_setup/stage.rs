//! A private copy of what Debian's generator reads, in which a configuration is made and tried
//! before anything of it goes live.

use crate::cli::Failure;
use crate::cli::exim_setup::plan::{Tree, Wanted};
use crate::exim::layout::{DEBIAN_ANSWERS, GENERATED};
use crate::exim::snippets;
use crate::exit::Status;
use crate::files::{self, Regular};
use crate::process::{self, Limits};
use crate::{exim::localmacros, limits};
use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Debian's generator.
const GENERATOR: &str = "/usr/sbin/update-exim4.conf";
/// Nobody but root writes there, so the name needs no luck. Only who holds the lock uses it.
const FOLDER: &str = "/run/mm-query-exim-setup";
/// Files of one folder of `conf.d` that are copied at most.
const MAX_FILES: usize = 1000;

/// The copy; it is gone when dropped.
#[derive(Debug)]
pub(super) struct Stage {
    folder: PathBuf,
}

fn failed(what: &str, path: &Path, error: impl Into<anyhow::Error>) -> Failure {
    let error = error.into().context(format!("cannot {what} {}", path.display()));
    Failure(Status::Config, error.context("nothing was changed"))
}

impl Stage {
    /// Makes an empty folder for root only; what a killed run left there goes.
    pub(super) fn new() -> Result<Stage, Failure> {
        let folder = PathBuf::from(FOLDER);
        let _ = std::fs::remove_dir_all(&folder);
        DirBuilder::new().mode(0o700).create(&folder).map_err(|e| failed("make", &folder, e))?;
        Ok(Stage { folder })
    }

    /// The configuration that the generator makes of what is there now.
    pub(super) fn present(&self) -> Result<PathBuf, Failure> {
        let output = self.folder.join("present");
        generate(&["-o".as_ref(), output.as_os_str()])?;
        self.share(&output)?;
        Ok(output)
    }

    /// The configuration that it will make of what is wanted, with all names of files of ours in
    /// `/etc` replaced by those of their copies here.
    pub(super) fn candidate(
        &self,
        tree: &Tree,
        wanted: Option<Wanted<'_>>,
        split: bool,
        own_hook: Option<&Path>,
    ) -> Result<PathBuf, Failure> {
        let copy = self.folder.join("etc");
        copy_inputs(&tree.base, &copy, split)?;
        for place in snippets::debian_places(&copy) {
            files::remove(&place).map_err(|e| failed("remove", &place, e))?;
        }
        let files = wanted.map_or_else(Vec::new, |w| snippets::debian(&copy, w.choices));
        make_folder(&copy.join("mm-query"))?;
        for file in files {
            write(&file.path, &file.text)?;
        }
        let output = self.folder.join("candidate");
        generate(&["-d".as_ref(), copy.as_os_str(), "-o".as_ref(), output.as_os_str()])?;
        let mut text = read(&output)?;
        if !split {
            // The generator puts this file first, but has parts of its path fixed: it was given an
            // empty one, and the right one is put first here.
            let macros = tree.new_localmacros(wanted).unwrap_or(tree.localmacros.clone());
            if substitutes(&tree.base)? {
                text = macros + &text;
            } else {
                text = macros + &read(&tree.base.join("exim4.conf.template"))?;
            }
        }
        if let Some(hook) = own_hook {
            let copied = self.folder.join("hook");
            write(&copied, &redirected(&read(hook)?, tree, &copy))?;
            let include = format!(".include {}", copied.display());
            text = text.replace(".include CHECK_DATA_LOCAL_ACL_FILE", &include);
        }
        write(&output, &redirected(&text, tree, &copy))?;
        self.share(&output)?;
        Ok(output)
    }

    /// Lets Exim's group in, which the generator has given its output to: Exim reads the later parts
    /// of a configuration as its own user.
    fn share(&self, generated: &Path) -> Result<(), Failure> {
        let about = generated.metadata().map_err(|e| failed("check", generated, e))?;
        std::os::unix::fs::chown(&self.folder, None, Some(about.gid()))
            .and_then(|()| set_mode(&self.folder, 0o750))
            .map_err(|e| failed("share", &self.folder, e))
    }

    /// Exim's words without our private names.
    pub(super) fn public(&self, said: &str) -> String {
        let copy = format!("{}/etc", self.folder.display());
        said.replace(&copy, crate::exim::layout::DEBIAN)
            .replace(&self.folder.join("candidate").display().to_string(), "the new configuration")
            .replace(&self.folder.join("present").display().to_string(), "the configuration")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Lines that include files of ours, with the copies in their place.
fn redirected(text: &str, tree: &Tree, copy: &Path) -> String {
    let ours = format!("{}/", tree.folder().display());
    text.replace(&ours, &format!("{}/mm-query/", copy.display()))
}

/// Lets the generator make its own file anew; it does so only if Exim takes the result.
pub(super) fn generate_live() -> Result<(), Failure> {
    generate(&[])
}

/// Whether the live file is this one.
pub(super) fn is_live(configuration: &Path) -> bool {
    let read = |path: &Path| files::read(path, limits::CONFIGURATION_BYTES).ok().flatten();
    let (live, made) = (read(Path::new(GENERATED)), read(configuration));
    live.is_some() && live.map(|file| file.bytes) == made.map(|file| file.bytes)
}

fn generate(args: &[&std::ffi::OsStr]) -> Result<(), Failure> {
    let generator = Path::new(GENERATOR);
    let ran = process::run(generator, args, Limits::default()).map_err(|error| {
        let status = match &error {
            process::Error::TooSlow(_) => Status::TryAgain,
            _ => Status::Config,
        };
        Failure(status, anyhow::Error::from(error).context("nothing was changed"))
    })?;
    if ran.succeeded() {
        return Ok(());
    }
    Err(failed("run", generator, anyhow::Error::msg(ran.complaint())))
}

/// Whether the generator fills in the administrator's answers; for other kinds of sites it only
/// puts files together.
fn substitutes(base: &Path) -> Result<bool, Failure> {
    let answers = read(&base.join(DEBIAN_ANSWERS))?;
    let kind =
        |line: &str| line.trim().strip_prefix("dc_eximconfig_configtype=").map(str::to_owned);
    let kind = answers.lines().rev().find_map(kind).unwrap_or_default();
    let kind = kind.trim().trim_matches(['\'', '"']).to_ascii_lowercase();
    Ok(["satellite", "smarthost", "local", "internet"].contains(&kind.as_str()))
}

/// Copies what the generator reads.
fn copy_inputs(from: &Path, to: &Path, split: bool) -> Result<(), Failure> {
    make_folder(to)?;
    copy(&from.join(DEBIAN_ANSWERS), &to.join(DEBIAN_ANSWERS))?;
    write(&to.join("exim4.conf.localmacros"), "")?;
    let template = "exim4.conf.template";
    if !split {
        return copy(&from.join(template), &to.join(template));
    }
    make_folder(&to.join("conf.d"))?;
    for section in ["main", "acl", "router", "transport", "retry", "rewrite", "auth"] {
        let section = Path::new("conf.d").join(section);
        copy_files(&from.join(&section), &to.join(&section))?;
    }
    Ok(())
}

fn copy_files(from: &Path, to: &Path) -> Result<(), Failure> {
    make_folder(to)?;
    let list = |e: io::Error| failed("list", from, e);
    for entry in std::fs::read_dir(from).map_err(list)?.take(MAX_FILES) {
        let path = entry.map_err(list)?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            copy(&path, &to.join(name))?;
        }
    }
    Ok(())
}

/// Modes are set whatever the umask is: who may look in is decided by the folder around all.
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| set_mode(path, 0o755)).map_err(|e| failed("make", path, e)),
    }
}

/// Links are followed: a site may keep its files elsewhere.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let target = from.canonicalize().map_err(|e| failed("find", from, e))?;
    let file = files::read(&target, limits::CONFIGURATION_BYTES);
    let file = file.map_err(|e| failed("read", from, e))?.unwrap_or_else(|| Regular::of_root(""));
    std::fs::write(to, &file.bytes)
        .and_then(|()| set_mode(to, 0o644))
        .map_err(|e| failed("write", to, e))
}

fn read(path: &Path) -> Result<String, Failure> {
    let opened = File::open(path).map_err(|e| failed("open", path, e))?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(opened, limits::CONFIGURATION_BYTES), &mut bytes)
        .map_err(|e| failed("read", path, e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .and_then(|()| set_mode(path, 0o644))
        .map_err(|e| failed("write", path, e))
}

/// Whether a site's own file at Debian's hook includes our ACLs.
pub(super) fn includes_ours(hook: &Path, tree: &Tree) -> bool {
    read(hook).is_ok_and(|text| localmacros::includes(&text, &tree.folder(), "unsplit-acl"))
}
