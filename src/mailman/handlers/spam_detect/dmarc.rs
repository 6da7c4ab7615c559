//! Does the domain of the From: address forbid what mailing lists do to messages?
//! (`SpamDetect.process`, `Utils.IsDMARCProhibited`; RULES 6.2, 6.3.)

use crate::list::settings::Settings;
use crate::mailman::handlers::{List, own_notice};
use crate::mailman::notice::Form;
use crate::mailman::patterns::{Context, find_entry_without_lists};
use crate::mailman::post::{DmarcPolicy, Post};
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};
use crate::python::Python;
use crate::python::addresses::parseaddr;
use crate::python::text::PyStr;

/// The verdict where `dmarc_moderation_action` rejects or discards; other actions only change what
/// is delivered.
pub(super) fn judge(
    post: &Post<'_>,
    list: &List<'_>,
    context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    let Some(address) = from_address(post)? else { return Ok(None) };
    let settings = list.settings;
    let action = settings.dmarc_moderation_action.reached("dmarc_moderation_action")?;
    let action = match action.number() {
        Some(action) if action > 0.0 => action,
        Some(_) => return Ok(None),
        None if post.python == Python::Three => {
            return Err(Stop::Shunt("dmarc_moderation_action is no number".into()));
        }
        // To Python 2 a string is more than any number, and equal to none.
        None => return Ok(None),
    };
    let addresses = settings.dmarc_moderation_addresses.reached("dmarc_moderation_addresses")?;
    let entry = find_entry_without_lists(&address, addresses, context)?;
    let shown = address.to_lossy();
    if let Some(entry) = &entry {
        let entry = entry.to_lossy();
        context.trail.push(format!("dmarc_moderation_addresses: {shown} matches {entry}"));
    } else if !is_prohibited(post, &address, settings, action)? {
        context.trail.push(format!("DMARC does not concern {shown}"));
        return Ok(None);
    }
    let verdict = |decision| Verdict {
        entry: entry.clone(),
        ..Verdict::new(decision, Rule::DmarcModerationAction, &address)
    };
    if action == 4.0 {
        return Ok(Some(verdict(Decision::Discard)));
    }
    if action != 3.0 {
        return Ok(None);
    }
    let own = settings.dmarc_moderation_notice.reached("dmarc_moderation_notice")?;
    let form = Form { python: post.python, owner: list.owner, sender: &post.senders.one };
    // Wrapped and mailed like that of a moderated member.
    let notice = own_notice(own, |text| form.member_moderation(text))?;
    Ok(Some(Verdict { notice, ..verdict(Decision::Reject) }))
}

/// `parseaddr(msg.get('from'))[1]`, of the value with its folds, if it is not empty.
fn from_address(post: &Post<'_>) -> Result<Option<PyStr>, Stop> {
    let Some(value) = post.header("from") else { return Ok(None) };
    let mailbox = parseaddr(value, post.python)
        .map_err(|_| Stop::Shunt("the From: header is nested too deeply".into()))?;
    let unknown = || Stop::Shunt("the From: header is not in UTF-8".into());
    let address = PyStr::native(&mailbox.address, post.python).ok_or_else(unknown)?;
    Ok(Some(address).filter(|address| !address.is_empty()))
}

/// What the policy that DNS gave means to the list. An address without a domain has none. The port's
/// code does not fit its DNS library, and never sees a policy.
fn is_prohibited(
    post: &Post<'_>,
    address: &PyStr,
    settings: &Settings,
    action: f64,
) -> Result<bool, Stop> {
    let has_domain = address.rsplit_at().is_some_and(|(local, _)| !local.is_empty());
    if !has_domain || post.python == Python::Three {
        return Ok(false);
    }
    let quarantine = &settings.dmarc_quarantine_moderation_action;
    let none = &settings.dmarc_none_moderation_action;
    Ok(match post.dmarc {
        None => false,
        Some(DmarcPolicy::Reject) => true,
        Some(DmarcPolicy::Quarantine) => {
            quarantine.is_true("dmarc_quarantine_moderation_action")?
        }
        Some(DmarcPolicy::None) => {
            quarantine.is_true("dmarc_quarantine_moderation_action")?
                && none.is_true("dmarc_none_moderation_action")?
                && (action == 1.0 || action == 2.0)
        }
    })
}
