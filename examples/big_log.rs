//! Writes a log of a million subscriptions to standard output, for measuring:
//! `cargo run --release --example big_log > FILE`.

use std::io::{BufWriter, Write};

fn main() -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    for n in 0u32..1_000_000 {
        let (minute, second) = (n / 60 % 60, n % 60);
        let (day, hour) = (1 + n / 86_400, n / 3_600 % 24);
        writeln!(
            out,
            "Mar {day:02} {hour:02}:{minute:02}:{second:02} 2020 (4711) list{}: pending \
             Someone <user{}@example{}.org>  198.51.{}.{}",
            n % 50,
            n % 300_000,
            n % 1_000,
            n / 256 % 256,
            n % 256
        )?;
    }
    out.flush()
}
