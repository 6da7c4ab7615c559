//! Who may post and who may join, in words.

use crate::list::survey::Survey;

/// What happens to a post that an action of `Defaults.py` is for. The numbers are those of
/// `generic_nonmember_action`; a member's moderation has them shifted (no 0).
fn done(action: Option<i64>) -> &'static str {
    match action {
        Some(0) => "may post",
        Some(1) => "are held",
        Some(2) => "are refused",
        Some(3) => "are discarded",
        _ => "are treated in an unknown way",
    }
}

#[allow(clippy::cast_possible_truncation, reason = "small whole numbers, or none that matters")]
fn whole(list: &Survey, key: &str) -> Option<i64> {
    list.number(key).filter(|n| n.fract() == 0.0 && n.abs() < 1e6).map(|n| n as i64)
}

/// What becomes of nonmembers' posts (`generic_nonmember_action`; RULES 5).
pub fn nonmembers(list: &Survey) -> &'static str {
    done(whole(list, "generic_nonmember_action"))
}

/// What becomes of moderated members' posts (`member_moderation_action`).
pub fn moderated(list: &Survey) -> &'static str {
    let action = whole(list, "member_moderation_action");
    done(action.filter(|action| (0..3).contains(action)).map(|action| action + 1))
}

/// Who may post, in a few words.
pub fn posting(list: &Survey) -> String {
    if list.is_on("emergency") {
        return "emergency: all held".to_owned();
    }
    match whole(list, "generic_nonmember_action") {
        Some(0) => "anybody".to_owned(),
        Some(1) => "members, others held".to_owned(),
        Some(2) => "members, others refused".to_owned(),
        Some(3) => "members, others discarded".to_owned(),
        _ => "unknown".to_owned(),
    }
}

/// Whether and how members are moderated.
pub fn moderation(list: &Survey) -> String {
    let new = if list.is_on("default_member_moderation") { "new ones" } else { "" };
    let count = list.counts.map_or(0, |counts| counts.moderated);
    let treated = moderated(list).trim_start_matches("are ");
    match (count, new) {
        (0, "") => "-".to_owned(),
        (0, new) => format!("{new} {treated}"),
        (count, "") => format!("{count} {treated}"),
        (count, new) => format!("{count} and {new} {treated}"),
    }
}

/// What a subscription needs (`subscribe_policy`; RULES 8.4).
pub fn subscribing(list: &Survey) -> &'static str {
    match whole(list, "subscribe_policy") {
        Some(0) => "open",
        Some(1) => "confirmed",
        Some(2) => "approved",
        Some(3) => "confirmed and approved",
        _ => "unknown",
    }
}
