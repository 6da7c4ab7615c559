//! `mm_cfg.py` of any bytes, in both Pythons.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mm_query::mailman::defaults::defaults;
use mm_query::mailman::site_values::SiteValues;
use mm_query::python::Python;
use mm_query::python::literal::read;

fuzz_target!(|bytes: &[u8]| {
    for python in [Python::Two, Python::Three] {
        let settings = read(bytes, python, &defaults(python));
        for name in SiteValues::NAMES {
            let _ = settings.get(name);
            let _ = settings.with_library(name);
        }
    }
});
