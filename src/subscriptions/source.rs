//! Networks and domains of what a log calls a source or an address.

use std::net::IpAddr;

/// The network address in a source: itself, or the last of what a proxy handed on, which is the one
/// that the nearest proxy saw. Everything before that, the client may have written itself.
pub fn ip(source: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(source).ok()?;
    let last = text.rsplit(',').next().unwrap_or(text).trim();
    let bare = last.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Its /24 or /64.
pub fn network(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let network = ip.to_bits() & !u128::from(u64::MAX);
            format!("{}/64", std::net::Ipv6Addr::from_bits(network))
        }
    }
}

/// The domain of an address.
pub fn domain(address: &[u8]) -> &[u8] {
    let at = memchr::memrchr(b'@', address).map_or(0, |at| at.saturating_add(1));
    address.get(at..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let of = |source: &str| ip(source.as_bytes()).map(network);
        assert_eq!(of("192.0.2.77").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(of("2001:db8:1:2:3::4").as_deref(), Some("2001:db8:1:2::/64"));
        assert_eq!(of("::ffff:192.0.2.77").as_deref(), Some("192.0.2.0/24"));
        assert_eq!(of("spoofed, 10.0.0.1, 198.51.100.9").as_deref(), Some("198.51.100.0/24"));
        assert_eq!(of("eve@example.net"), None);
        assert_eq!(domain(b"a@b@C.d"), b"C.d");
    }
}
