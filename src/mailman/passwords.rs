//! Is it a password of the list? (`SecurityManager.Authenticate` for posters, moderators and
//! administrators; the port's `Utils.verify_password`; RULES 6.13, 11.8.)

use crate::limits;
use crate::list::settings::Setting;
use crate::list::value::PyValue;
use crate::mailman::handlers::List;
use crate::mailman::verdict::Stop;
use crate::python::Python;
use crate::python::text::{PyStr, is_space};
use md5::Md5;
use sha1::{Digest, Sha1};

/// What somebody gives as a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// A string of the Python at hand.
    Text(PyStr),
    /// A header that is not in UTF-8: in the port an object of the class `Header`.
    Header,
}

impl Response {
    /// The value of a header.
    pub fn header(value: &[u8], python: Python) -> Response {
        PyStr::native(value, python).map_or(Response::Header, Response::Text)
    }
}

/// Whose passwords count, in the order in which they are tried.
const ROLES: [Role; 3] = [Role::Poster, Role::Moderator, Role::Admin];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Poster,
    Moderator,
    Admin,
}

impl Role {
    fn setting<'l>(self, list: &List<'l>) -> (&'l Setting, &'static str) {
        let settings = list.settings;
        match self {
            Role::Poster => (&settings.post_password, "post_password"),
            Role::Moderator => (&settings.mod_password, "mod_password"),
            Role::Admin => (&settings.password, "password"),
        }
    }

    /// What is kept for this role; nothing where Mailman does not look at it.
    fn secret<'l>(self, list: &List<'l>) -> Result<Option<&'l PyValue>, Stop> {
        let (setting, name) = self.setting(list);
        let secret = setting.reached(name)?;
        let is_skipped = match self {
            Role::Admin => *secret == PyValue::None,
            Role::Poster | Role::Moderator => !setting.is_true(name)?,
        };
        Ok(Some(secret).filter(|_| !is_skipped))
    }
}

/// Whether the response is the password of the list's posters, moderators or administrators. The
/// site's is none of them.
///
/// # Errors
/// [`Stop::Shunt`] where Mailman raises an exception. [`Stop::Unknowable`] where none matches, but
/// one is kept in a way that is not followed here.
pub fn authenticates(list: &List<'_>, response: &Response, python: Python) -> Result<bool, Stop> {
    if matches!(response, Response::Text(text) if text.is_empty()) {
        return Ok(false);
    }
    let mut untold = None;
    for role in ROLES {
        let Some(secret) = role.secret(list)? else { continue };
        let is_right = match (python, response) {
            (_, Response::Header) => {
                return Err(Stop::Shunt("a password that is not in UTF-8".into()));
            }
            (Python::Two, Response::Text(text)) => matches_2(role, text.as_bytes(), secret),
            (Python::Three, Response::Text(text)) => matches_3(text.as_bytes(), secret),
        };
        match is_right {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(Stop::Unknowable(why)) => untold = Some(why),
            Err(shunt) => return Err(shunt),
        }
    }
    untold.map_or(Ok(false), |why| Err(Stop::Unknowable(why)))
}

/// Whether any response at all could be right.
pub fn is_any_possible(list: &List<'_>, python: Python) -> bool {
    let is_possible = |role: Role| match (role.setting(list).0, python) {
        (Setting::Absent, _) => true,
        (Setting::Unknown, _) => true,
        (Setting::Value(PyValue::Str(secret)), Python::Two) => {
            is_hex_2(secret) || (role == Role::Admin && (is_md5(secret) || is_crypt(secret)))
        }
        (Setting::Value(PyValue::Str(secret)), Python::Three) => !secret.is_empty(),
        (Setting::Value(value), _) => *value == PyValue::Other,
    };
    ROLES.into_iter().any(is_possible)
}

/// Bytes of an MD5 digest.
const MD5_BYTES: usize = 16;
/// Characters of a SHA-1 digest in hexadecimal.
const SHA1_DIGITS: usize = 40;
/// Characters of a salt, and of a hash with its salt, of the traditional crypt.
const SALT_CHARACTERS: usize = 2;
const CRYPT_CHARACTERS: usize = 13;

fn is_hex_2(secret: &PyStr) -> bool {
    let bytes = secret.as_bytes();
    bytes.len() == SHA1_DIGITS && bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Python 2 finds bytes and text equal if both are the same ASCII.
fn is_md5(secret: &PyStr) -> bool {
    let bytes = secret.as_bytes();
    bytes.len() == MD5_BYTES && (matches!(secret, PyStr::Bytes(_)) || bytes.is_ascii())
}

/// Whether it may be what `crypt(3)` of glibc makes with two characters of salt. Longer forms (`$1$`)
/// need more salt than Mailman 2.1 hands over.
fn is_crypt(secret: &PyStr) -> bool {
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/');
    let bytes = secret.as_bytes();
    bytes.len() == CRYPT_CHARACTERS && bytes.iter().all(is_digit)
}

/// Whether libxcrypt may have made it: the forms with a prefix, and that of many times eight
/// characters.
fn is_newer_crypt(secret: &[u8]) -> bool {
    let length = secret.len();
    matches!(secret, [b'$' | b'_' | b'#', ..]) || (length > CRYPT_CHARACTERS && length % 11 == 2)
}

/// The comparisons of Mailman 2.1.
fn matches_2(role: Role, response: &[u8], secret: &PyValue) -> Result<bool, Stop> {
    let secret = match secret {
        PyValue::Str(secret) => secret,
        PyValue::Other => {
            return Err(Stop::Unknowable("a password of the list is of an unknown type".into()));
        }
        _ => return Ok(false),
    };
    if equal(&hex(&Sha1::digest(response)), secret.as_bytes()) {
        return Ok(true);
    }
    if role != Role::Admin {
        return Ok(false);
    }
    if is_md5(secret) && equal(&Md5::digest(response), secret.as_bytes()) {
        return Ok(true);
    }
    // Python refuses NUL in either argument.
    if response.contains(&0) {
        return Ok(false);
    }
    if let PyStr::Text(text) = secret
        && !text.chars().take(SALT_CHARACTERS).all(|c| c.is_ascii())
    {
        return Err(Stop::Shunt("the salt of the list's password is not ASCII".into()));
    }
    Ok(is_crypt(secret) && crypts_to(response, secret))
}

/// The comparisons of the port's `verify_password`, the same for all roles.
fn matches_3(response: &[u8], secret: &PyValue) -> Result<bool, Stop> {
    let secret = match secret {
        PyValue::Str(PyStr::Bytes(bytes)) if bytes.len() == MD5_BYTES => {
            return Ok(equal(&Md5::digest(response), bytes));
        }
        PyValue::Str(PyStr::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => text,
            _ => return Ok(false),
        },
        PyValue::Str(PyStr::Text(text)) => text,
        PyValue::Other => {
            return Err(Stop::Unknowable("a password of the list is of an unknown type".into()));
        }
        _ => return Ok(false),
    };
    let secret = secret.trim_matches(|c| is_space(c, Python::Three));
    if let Some(fields) = secret.strip_prefix("$pbkdf2$sha256$") {
        return pbkdf2_matches(response, fields);
    }
    if secret.len() == SHA1_DIGITS && secret.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(equal(&hex(&Sha1::digest(response)), secret.to_ascii_lowercase().as_bytes()));
    }
    if response.contains(&0) || secret.contains('\0') {
        return Err(Stop::Shunt("a password with NUL, which crypt(3) is asked about".into()));
    }
    let secret = PyStr::Text(secret.to_owned());
    if is_crypt(&secret) {
        return Ok(crypts_to(response, &secret));
    }
    if is_newer_crypt(secret.as_bytes()) {
        return Err(Stop::Unknowable("a password in a form of crypt(3) not followed here".into()));
    }
    Ok(false)
}

/// `ITERATIONS$SALT$HASH`, the latter two in hexadecimal.
fn pbkdf2_matches(response: &[u8], fields: &str) -> Result<bool, Stop> {
    let fields: Vec<&str> = fields.split('$').collect();
    let [iterations, salt, expected] = fields.as_slice() else { return Ok(false) };
    let (Some(salt), Some(expected)) = (unhexlify(salt), unhexlify(expected)) else {
        return Ok(false);
    };
    let iterations = match iterations.parse::<u32>() {
        Ok(0) => return Ok(false),
        Ok(iterations) => iterations,
        // Python's `int` takes more spellings than this, none of which the port writes.
        Err(_) => return Err(Stop::Unknowable("a password with an odd number in it".into())),
    };
    let blocks = u64::try_from(expected.len().div_ceil(32)).unwrap_or(u64::MAX);
    if blocks == 0 {
        return Ok(false);
    }
    if u64::from(iterations).saturating_mul(blocks) > limits::PBKDF2_ITERATIONS {
        return Err(Stop::Unknowable("a password hashed with too many iterations".into()));
    }
    let mut derived = vec![0; expected.len()];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(response, &salt, iterations, &mut derived);
    Ok(equal(&derived, &expected))
}

/// `binascii.unhexlify`
fn unhexlify(digits: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn hex(digest: &[u8]) -> Vec<u8> {
    digest.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

fn crypts_to(response: &[u8], secret: &PyStr) -> bool {
    crypt3_rs::crypt::unix::verify(response, &secret.to_lossy())
}

/// Looks at all bytes, however early they differ.
fn equal(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |seen, (a, b)| seen | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}
