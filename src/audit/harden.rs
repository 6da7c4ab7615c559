//! A part of `mm_cfg.py` that protects the subscription form (Mailman 2.1.30 and later).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Random bytes of a secret.
pub const SECRET_BYTES: usize = 24;

/// How a language asks for a product, `A` and `B` being the numbers. ASCII, so that the file needs
/// no encoding and every list's charset has the letters.
const ASKED: [(&str, &str); 12] = [
    ("ca", "Quant fa A per B?"),
    ("da", "Hvad er A gange B?"),
    ("de", "Was ist A mal B?"),
    ("en", "What is A times B?"),
    ("es", "Cuanto es A por B?"),
    ("fr", "Combien font A fois B ?"),
    ("it", "Quanto fa A per B?"),
    ("nl", "Hoeveel is A keer B?"),
    ("no", "Hva er A ganger B?"),
    ("pl", "Ile to jest A razy B?"),
    ("pt", "Quanto e A vezes B?"),
    ("sv", "Vad blir A ganger B?"),
];

/// For all other languages.
const PLAIN: &str = "A x B = ?";

/// Questions for each language.
const QUESTIONS: usize = 3;

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// A secret of these random bytes, as letters that need no quoting.
pub fn secret(bytes: [u8; SECRET_BYTES]) -> String {
    STANDARD.encode(bytes)
}

/// A number below a hundred in English, as a pattern for how people write it.
fn in_words(number: usize) -> String {
    let unit = |n: usize| UNITS.get(n).copied().unwrap_or_default();
    let ten = TENS.get(number / 10).copied().unwrap_or_default();
    match number {
        0..20 => unit(number).to_owned(),
        _ if number.is_multiple_of(10) => ten.to_owned(),
        _ => format!("{ten}[- ]?{}", unit(number % 10)),
    }
}

/// The fragment: a secret of these random bytes, and questions whose numbers `random` makes, for
/// English and for these languages (codes of letters, digits, `_` and `-`).
pub fn fragment(
    secret: [u8; SECRET_BYTES],
    random: &mut dyn FnMut() -> u8,
    languages: &[String],
) -> String {
    let mut all: Vec<&str> = languages.iter().map(String::as_str).chain(["en"]).collect();
    all.sort_unstable();
    all.dedup();
    let questions: String = all.into_iter().map(|language| of_language(language, random)).collect();
    format!(
        "# Protects Mailman's subscription form; made by mm-query harden, for mm_cfg.py. Mailman\n\
         # 2.1.30 or later. Nobody but Mailman should be able to read the file.\n\
         \n\
         # The form must be fetched before it is sent, from the same network, and within an hour.\n\
         SUBSCRIBE_FORM_SECRET = '{}'\n\
         \n\
         # Nobody fills it in faster.\n\
         SUBSCRIBE_FORM_MIN_TIME = seconds(10)\n\
         \n\
         # A question for each form, in the list's language, else in English. Better ones than\n\
         # these are about your lists: (question, regular expression of all right answers). Put\n\
         # alternatives in parentheses: (four|4).\n\
         CAPTCHAS = {{\n{questions}}}\n",
        self::secret(secret)
    )
}

fn of_language(language: &str, random: &mut dyn FnMut() -> u8) -> String {
    let asked =
        ASKED.iter().find(|(known, _)| *known == language).map_or(PLAIN, |(_, asked)| asked);
    let mut lines = format!("    '{language}': [\n");
    for _ in 0..QUESTIONS {
        let mut number = || usize::from(random() % 8) + 2;
        let (a, b) = (number(), number());
        let product = a.saturating_mul(b);
        let asked = asked.replace('A', &a.to_string()).replace('B', &b.to_string());
        let answer = match language {
            "en" => format!("({product}|{})", in_words(product)),
            _ => product.to_string(),
        };
        lines.push_str(&format!("        ('{asked}', r'\\s*{answer}\\s*'),\n"));
    }
    lines + "    ],\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        let words = [(4, "four"), (15, "fifteen"), (20, "twenty"), (81, "eighty[- ]?one")];
        for (number, word) in words {
            assert_eq!(in_words(number), word);
        }
    }

    #[test]
    fn english_is_always_there() {
        let mut random = || 3;
        let text = fragment([7; SECRET_BYTES], &mut random, &["de".to_owned(), "tlh".to_owned()]);
        for words in [
            "SUBSCRIBE_FORM_SECRET = 'BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH'\n",
            "('What is 5 times 5?', r'\\s*(25|twenty[- ]?five)\\s*'),\n",
            "('Was ist 5 mal 5?', r'\\s*25\\s*'),\n",
            "    'tlh': [\n        ('5 x 5 = ?', r'\\s*25\\s*'),\n",
        ] {
            assert!(text.contains(words), "{words}\n{text}");
        }
        assert!(text.is_ascii());
    }
}
