//! Messages that the site's own servers vouch for: the rule of moderation handlers that stand in
//! the place of `Moderate` where a site sets `TRUSTEDLOCALSERVER` and `TRUSTEDREMOTESERVER`.

use crate::mailman::site_values::SiteValues;

/// Whether the site has both settings, be they readable or not.
pub fn is_set_up(site: &SiteValues) -> bool {
    let is_set = |name| !matches!(site.get(name), Ok(None));
    is_set("TRUSTEDLOCALSERVER") && is_set("TRUSTEDREMOTESERVER")
}
