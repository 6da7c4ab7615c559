//! A list's settings in words for people. Pure: what is read is a [`Survey`].

pub mod membership;
pub mod patterns;
pub mod policy;

use crate::list::survey::Survey;
use crate::subscriptions::moment;

/// The attributes that [`policy`] speaks of.
pub const POLICY_KEYS: [&str; 9] = [
    "host_name",
    "emergency",
    "generic_nonmember_action",
    "default_member_moderation",
    "member_moderation_action",
    "subscribe_policy",
    "last_post_time",
    "respond_to_post_requests",
    "advertised",
];

/// When the last post was, as `YYYY-MM-DD HH:MM` in UTC; nothing if there was none.
pub fn last_post(list: &Survey) -> Option<String> {
    let time = list.number("last_post_time").filter(|time| *time > 0.0)?;
    // Later than any clock says: no time.
    #[allow(clippy::cast_possible_truncation, reason = "bounded before")]
    (time < 1e11).then(|| moment::iso_minute(time as i64))
}

/// Bytes as people write them, in powers of 1,024.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_few_digits() {
        assert_eq!(size(900), "900 B");
        assert_eq!(size(10_240), "10 KiB");
        assert_eq!(size(u64::MAX), "17592186044415 MiB");
    }
}
