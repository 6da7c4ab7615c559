//! May these senders post? (`Mailman.Handlers.Moderate.process`; RULES 6.15, 6.16.)

use crate::list::value::PyValue;
use crate::mailman::equivalents::equivalents;
use crate::mailman::handlers::{List, own_notice, trusted};
use crate::mailman::language;
use crate::mailman::notice::Form;
use crate::mailman::patterns::{Context, find_entry};
use crate::mailman::post::{Approval, Post};
use crate::mailman::senders::Senders;
use crate::mailman::site_values::SiteValues;
use crate::mailman::verdict::{Decision, Rule, Stop, Verdict};
use crate::python::Python;
use crate::python::text::PyStr;

/// Every address whose membership the rules may ask for. An equivalence that shunts is left for
/// the handler to find.
pub fn addresses_in_question(senders: &Senders, equivalent_domains: &PyValue) -> Vec<PyStr> {
    let mut addresses = Vec::new();
    for sender in &senders.all {
        addresses.push(sender.clone());
        let python = match sender {
            PyStr::Bytes(_) => Python::Two,
            PyStr::Text(_) => Python::Three,
        };
        addresses.extend(equivalents(sender, equivalent_domains, python).unwrap_or_default());
    }
    addresses
}

/// The handler, for whole messages. A hold that Mailman would fail to prepare is a hold here.
///
/// # Errors
/// [`Stop`] where Mailman raises an exception, or where what it does cannot be known.
pub fn process(
    post: &mut Post<'_>,
    list: &List<'_>,
    site: &SiteValues,
    context: &mut Context<'_>,
) -> Result<Option<Verdict>, Stop> {
    if post.approval == Approval::Given {
        return Ok(None);
    }
    let verdict = judge(list, &post.senders, context, |context| {
        Ok(trusted::applies(site, list)? && trusted::is_trusted(post, site, context)?)
    })?;
    Ok(Some(verdict).filter(|verdict| verdict.decision != Decision::Accept))
}

/// The verdict on a message of which only the senders are known, with the checks that led to it in
/// `context.trail`.
pub fn judge_senders(list: &List<'_>, senders: &Senders, context: &mut Context<'_>) -> Verdict {
    let judged = judge(list, senders, context, |_| Ok(false)).and_then(|verdict| {
        if let (Decision::Hold, Some(sender)) = (verdict.decision, &verdict.sender) {
            can_be_held(list, sender, context.python)?;
        }
        Ok(verdict)
    });
    judged.unwrap_or_else(|stop| match stop {
        Stop::Shunt(_) => stop.within("Moderate"),
        Stop::Unknowable(_) => stop.into(),
    })
}

/// `is_trusted` is asked where the list would hold a nonmember.
fn judge(
    list: &List<'_>,
    senders: &Senders,
    context: &mut Context<'_>,
    is_trusted: impl FnOnce(&mut Context<'_>) -> Result<bool, Stop>,
) -> Result<Verdict, Stop> {
    let unseen_at = senders.unseen.as_ref().map_or(senders.all.len(), |(_, at)| *at);
    let (before, behind) = senders.all.split_at_checked(unseen_at).unwrap_or((&senders.all, &[]));
    if let Some(member) = find_member(list, before, context)? {
        return judge_member(list, &member, &senders.one, context);
    }
    if let Some(member) = find_member(list, behind, context)? {
        let verdict = judge_member(list, &member, &senders.one, context)?;
        if verdict.decision == Decision::Accept {
            return Ok(verdict);
        }
    }
    if let Some((header, _)) = &senders.unseen {
        return Err(Stop::Unknowable(format!(
            "SENDER_HEADERS names '{header}', which is not among what was given"
        )));
    }
    context.trail.push("no sender is a member".into());
    let action = list.settings.generic_nonmember_action.value().and_then(PyValue::number);
    if action == Some(1.0) && is_trusted(context)? {
        return Ok(Verdict::new(Decision::Accept, Rule::TrustedServer, &senders.one));
    }
    judge_nonmember(list, &senders.one, context)
}

/// The first sender that is a member or has an equivalent that is; the empty address counts as
/// none, whoever it belongs to.
fn find_member(
    list: &List<'_>,
    senders: &[PyStr],
    context: &mut Context<'_>,
) -> Result<Option<PyStr>, Stop> {
    for sender in senders {
        if list.roster.is_member(sender)? {
            return Ok(Some(sender.clone()).filter(|s| !s.is_empty()));
        }
        let domains = list.settings.equivalent_domains.reached("equivalent_domains")?;
        for equivalent in equivalents(sender, domains, context.python)? {
            if list.roster.is_member(&equivalent)? {
                let (one, other) = (sender.to_lossy(), equivalent.to_lossy());
                context.trail.push(format!("{one} counts as {other} by equivalent_domains"));
                return Ok(Some(equivalent).filter(|s| !s.is_empty()));
            }
        }
        context.trail.push(format!("{} is not a member", sender.to_lossy()));
    }
    Ok(None)
}

fn judge_member(
    list: &List<'_>,
    member: &PyStr,
    sender: &PyStr,
    context: &mut Context<'_>,
) -> Result<Verdict, Stop> {
    if !list.roster.is_moderated(member)? {
        context.trail.push(format!("{} is a member and not moderated", member.to_lossy()));
        return Ok(Verdict::new(Decision::Accept, Rule::Member, member));
    }
    context.trail.push(format!("{} is a moderated member", member.to_lossy()));
    let action =
        list.settings.member_moderation_action.reached("member_moderation_action")?.number();
    let verdict = |decision| Verdict::new(decision, Rule::MemberModeration, member);
    match action {
        Some(0.0) => {
            can_write(list)?;
            Ok(verdict(Decision::Hold))
        }
        Some(1.0) => {
            can_write(list)?;
            let own = list.settings.member_moderation_notice.reached("member_moderation_notice")?;
            let form = Form { python: context.python, owner: list.owner, sender };
            let notice = own_notice(own, |text| form.member_moderation(text))?;
            Ok(Verdict { notice, ..verdict(Decision::Reject) })
        }
        Some(2.0) => Ok(verdict(Decision::Discard)),
        _ => Err(Stop::Shunt("member_moderation_action has no meaning".into())),
    }
}

/// The four lists of nonmembers in the order Mailman takes them, then the general action.
fn judge_nonmember(
    list: &List<'_>,
    sender: &PyStr,
    context: &mut Context<'_>,
) -> Result<Verdict, Stop> {
    let settings = list.settings;
    let lists = [
        (&settings.accept_these_nonmembers, Rule::AcceptTheseNonmembers, Decision::Accept),
        (&settings.hold_these_nonmembers, Rule::HoldTheseNonmembers, Decision::Hold),
        (&settings.reject_these_nonmembers, Rule::RejectTheseNonmembers, Decision::Reject),
        (&settings.discard_these_nonmembers, Rule::DiscardTheseNonmembers, Decision::Discard),
    ];
    for (setting, rule, decision) in lists {
        let entries = setting.reached(rule.word())?;
        let Some(entry) = find_entry(sender, entries, context)? else {
            context.trail.push(format!("{}: {} is not in it", rule.word(), sender.to_lossy()));
            continue;
        };
        context.trail.push(format!("{}: matched by {}", rule.word(), entry.to_lossy()));
        let verdict = decide(list, decision, rule, sender, context)?;
        return Ok(Verdict { entry: Some(entry), ..verdict });
    }
    let action = settings.generic_nonmember_action.reached("generic_nonmember_action")?.number();
    let decision = match action {
        // Mailman's assertion lets 0 to 4 pass, and knows nothing of 4 or of fractions.
        Some(1.0) => Decision::Hold,
        Some(2.0) => Decision::Reject,
        Some(3.0) => Decision::Discard,
        Some(n) if (0.0..=4.0).contains(&n) => Decision::Accept,
        _ => return Err(Stop::Shunt("generic_nonmember_action is out of range".into())),
    };
    decide(list, decision, Rule::GenericNonmemberAction, sender, context)
}

fn decide(
    list: &List<'_>,
    decision: Decision,
    rule: Rule,
    sender: &PyStr,
    context: &Context<'_>,
) -> Result<Verdict, Stop> {
    let verdict = Verdict::new(decision, rule, sender);
    let writes = match decision {
        Decision::Discard => {
            let forward = list.settings.forward_auto_discards.reached("forward_auto_discards")?;
            forward.truth() != Some(false)
        }
        decision => decision != Decision::Accept,
    };
    if writes {
        can_write(list)?;
    }
    if decision != Decision::Reject {
        return Ok(verdict);
    }
    let own = list.settings.nonmember_rejection_notice.reached("nonmember_rejection_notice")?;
    let form = Form { python: context.python, owner: list.owner, sender };
    let notice = own_notice(own, |text| form.nonmember_rejection(text))?;
    Ok(Verdict { notice, ..verdict })
}

/// Every mail that Mailman writes about a post names the list's domain and is in the list's
/// language (`Utils.GetCharSet`).
fn can_write(list: &List<'_>) -> Result<(), Stop> {
    list.settings.host_name.reached("host_name")?;
    match list.settings.preferred_language.value() {
        Some(PyValue::Str(code)) if language::is_known(code.as_bytes()) => Ok(()),
        _ => Err(Stop::Unknowable("the site may not know the list's preferred_language".into())),
    }
}

/// Preparing a hold writes the sender's address in the list's language (`Hold.hold_for_approval`;
/// RULES 6.23). That fails on a Japanese list of Mailman 2.1 where the bytes are not EUC-JP, and in
/// the port where they were not UTF-8.
fn can_be_held(list: &List<'_>, sender: &PyStr, python: Python) -> Result<(), Stop> {
    let language = list.settings.preferred_language.value();
    let japanese = matches!(language, Some(PyValue::Str(l)) if l.as_bytes() == b"ja");
    let bytes = sender.as_bytes();
    let unwritable = match python {
        Python::Two => japanese && encoding_rs::EUC_JP.decode(bytes).2,
        // Where a lone surrogate would be in Python 3: see `senders`.
        Python::Three => sender.to_lossy().contains(char::REPLACEMENT_CHARACTER),
    };
    if unwritable {
        return Err(Stop::Shunt("the sender cannot be written in the list's charset".into()));
    }
    Ok(())
}
