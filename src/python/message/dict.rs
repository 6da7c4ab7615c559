//! The order in which CPython 2.7 walks a dict of strings: 64-bit, hashes not randomised.

/// Slots of an empty dict.
const LEAST_SLOTS: usize = 8;
/// From this many entries on a dict grows by two, not by four.
const SLOW_GROWTH: usize = 50_000;

/// The distinct keys in the order of `dict.keys()` after they were put in one after the other.
pub(super) fn order<'k>(keys: impl Iterator<Item = &'k [u8]>) -> Vec<&'k [u8]> {
    let mut slots = vec![None; LEAST_SLOTS];
    let mut used = 0;
    for key in keys {
        if !insert(&mut slots, key) {
            continue;
        }
        used += 1;
        if used * 3 >= slots.len() * 2 {
            let wanted = if used > SLOW_GROWTH { used * 2 } else { used * 4 };
            let grown = vec![None; (wanted + 1).next_power_of_two().max(LEAST_SLOTS)];
            for key in std::mem::replace(&mut slots, grown).into_iter().flatten() {
                insert(&mut slots, key);
            }
        }
    }
    slots.into_iter().flatten().collect()
}

/// Puts the key into its slot, as `lookdict_string` finds it. False if it was there.
fn insert<'k>(slots: &mut [Option<&'k [u8]>], key: &'k [u8]) -> bool {
    let hash = hash(key);
    let mut perturb = hash;
    let mut place = hash;
    loop {
        let slot = usize::try_from(place).unwrap_or_default() & (slots.len() - 1);
        match slots.get_mut(slot) {
            Some(Some(held)) if *held != key => {
                place = place.wrapping_mul(5).wrapping_add(perturb).wrapping_add(1);
                perturb >>= 5;
            }
            Some(free @ None) => {
                *free = Some(key);
                return true;
            }
            _ => return false,
        }
    }
}

/// `string_hash`.
fn hash(key: &[u8]) -> u64 {
    let Some(&first) = key.first() else { return 0 };
    let start = u64::from(first) << 7;
    let mixed = key.iter().fold(start, |x, &byte| x.wrapping_mul(1_000_003) ^ u64::from(byte));
    match mixed ^ key.len() as u64 {
        u64::MAX => u64::MAX - 1,
        hash => hash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Python 2.7.18 prints for `dict.fromkeys(words)`.
    #[test]
    fn keys_come_in_pythons_order() {
        let keys = |text: &'static str| order(text.split(' ').map(str::as_bytes));
        let expected = |text: &'static str| text.split(' ').map(str::as_bytes).collect::<Vec<_>>();
        assert_eq!(keys(IN_SOURCE), expected(IN_DICT));
    }

    const IN_SOURCE: &str = "boundary Boundary BOUNDARY charset name Name filename x y z a b c a";
    const IN_DICT: &str = "a Boundary b Name charset c filename y x BOUNDARY z boundary name";
}
