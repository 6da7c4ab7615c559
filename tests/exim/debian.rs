//! The snippets in Debian's own configuration, split and unsplit, as `update-exim4.conf` makes it.
//!
//! The clients come from 127.0.0.1, which Debian's ACL accepts before it reaches any of its hooks.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::checker::{self, Checker};
use crate::config::{install_snippets, repository};
use crate::server::{Exim, exim_binary, make_directory, unique_host};
use crate::smtp::message;

const GENERATOR: &str = "/usr/sbin/update-exim4.conf";
const SETTINGS: &str = "dc_eximconfig_configtype='local'
dc_other_hostnames='lists.example.org'
dc_local_interfaces='127.0.0.1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
";

/// Copies a folder with everything in it.
fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Installs a file of `exim-snippets/debian`, changed by `edit`, and with `/etc/exim4` elsewhere.
fn install(name: &str, target: &Path, etc: &Path, edit: impl Fn(String) -> String) {
    let text = fs::read_to_string(repository().join("exim-snippets/debian").join(name)).unwrap();
    fs::write(target, edit(text).replace("/etc/exim4", &etc.display().to_string())).unwrap();
}

/// Does what README.md says, in a copy of /etc/exim4.
fn install_all(etc: &Path, split: bool) {
    copy_tree(Path::new("/etc/exim4"), etc);
    let choice = format!("dc_use_split_config='{split}'\n");
    fs::write(etc.join("update-exim4.conf.conf"), format!("{SETTINGS}{choice}")).unwrap();
    let ours = install_snippets(etc);
    fs::rename(ours, etc.join("mm-query")).unwrap();
    fs::create_dir(etc.join("mm-query/debian")).unwrap();
    install("unsplit-acl", &etc.join("mm-query/debian/unsplit-acl"), etc, |text| text);
    if split {
        install("000_mm-query", &etc.join("conf.d/main/000_mm-query"), etc, |text| text);
        install("45_mm-query", &etc.join("conf.d/acl/45_mm-query"), etc, |text| text);
    } else {
        let uncomment = |text: String| text.replace("#CHECK_DATA", "CHECK_DATA");
        install("000_mm-query", &etc.join("exim4.conf.localmacros"), etc, uncomment);
    }
}

/// Runs Debian's generator, which has /etc/exim4 fixed in places, on a copy of that folder.
fn generate(etc: &Path) -> String {
    let script = fs::read_to_string(GENERATOR).unwrap();
    let copy = etc.join("generator");
    fs::write(&copy, script.replace("/etc/exim4", &etc.display().to_string())).unwrap();
    let output = etc.join("generated");
    let status = Command::new("/bin/sh").arg(&copy).arg("-o").arg(&output).status().unwrap();
    assert!(status.success());
    fs::read_to_string(output).unwrap()
}

/// Starts Debian's Exim with Debian's configuration, its files in a folder of ours.
fn start(split: bool) -> Option<Exim> {
    let binary = exim_binary()?;
    let debian = Path::new(GENERATOR).exists() && Path::new("/etc/exim4/conf.d").exists();
    if std::env::var_os("MMQ_TEST_EXIM").is_some() || !debian {
        assert!(std::env::var_os("CI").is_none(), "this is not Debian's Exim");
        return None;
    }
    let directory = make_directory();
    let root = directory.path();
    let wrapper = checker::install(&Checker::Program, root);
    install_all(&root.join("etc"), split);
    let host = unique_host();
    let dir = root.display();
    let ours = format!(
        "MMQ_LISTS = {dir}/lists\nMMQ_WRAPPER = {}\nSPOOLDIR = {dir}/spool\n\
         log_file_path = {dir}/log/%slog\npid_file_path = {dir}/exim.pid\n\
         MAIN_HARDCODE_PRIMARY_HOSTNAME = {host}\nstrict_acl_vars = true\n\
         deliver_drop_privilege = true\n",
        wrapper.display()
    );
    let router = "begin routers\neveryone:\n  driver = accept\n  transport = all_in_one\n";
    let transport = format!(
        "begin transports\nall_in_one:\n  driver = appendfile\n  file = {dir}/mail/all\n  \
         envelope_to_add\n  user = Debian-exim\n  group = Debian-exim\n"
    );
    let text = generate(&root.join("etc"));
    assert_eq!(text.matches("begin routers\n").count(), 1);
    let text = text.replace("begin routers\n", router).replace("begin transports\n", &transport);
    let config = root.join("exim.conf");
    fs::write(&config, ours + &text).unwrap();
    Some(Exim::launch(&binary, &config, directory, &host, false))
}

fn check(split: bool) {
    let Some(exim) = start(split) else { return };
    let mut smtp = exim.connect();
    let (member, stranger) = ("alice@example.org", "mallory@example.net");
    let team = "team@lists.example.org";
    assert_eq!(smtp.post(member, team, &message(member)).code, 250);
    let reply = smtp.post(stranger, team, &message(stranger));
    assert_eq!(reply.code, 550, "{reply:?}");
    assert!(reply.prose().contains("team-owner@lists.example.org"), "{reply:?}");
    assert_eq!(smtp.post(stranger, "open@lists.example.org", &message(stranger)).code, 250);
    smtp.mail(member);
    assert_eq!(smtp.rcpt(team).code, 250);
    assert_eq!(smtp.rcpt("zoe@lists.example.org").code, 452);
    assert_eq!(smtp.command("RSET").code, 250);
    // Debian's own ACL on the message still has its say.
    let reply = smtp.post(stranger, "zoe@lists.example.org", b"From: a@x.org <b@y.org>\n\nHello\n");
    assert_eq!((reply.code, reply.text().as_str()), (550, "header syntax"));
    smtp.quit();
    assert_eq!(exim.delivered_to(), ["open@lists.example.org", team]);
}

#[test]
fn debians_split_configuration() {
    check(true);
}

#[test]
fn debians_unsplit_configuration() {
    check(false);
}
