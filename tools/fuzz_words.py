#!/usr/bin/env python3
"""Random header values with encoded words, judged by Python 2.7 itself.

    tools/fuzz_words.py N [--text] [--charset NAME] [--form FORM] [--normalize] [--seed S] [--python PATH]

Compares examples/words_answers with email.header.decode_header; with --text with the text that
Mailman's SpamDetect.getDecodedHeaders makes of a value (its rules are rewritten in the judge);
with --normalize with unicodedata.normalize on random text. --charset: words of this charset
only; without it, --text also tries every name that Python knows. Prints each difference (at most 20) and a count, with --text also how many values we have
no text for, by charset; exit status 1 if there was a difference.
"""
import argparse
import base64
import collections
import json
import os
import random
import re
import subprocess
import sys

JUDGE = r"""
import json, re, sys
from email.header import decode_header
from email.errors import HeaderParseError
from unicodedata import normalize
mode, form = sys.argv[1:3]

def words(value):
    try:
        return [[part.decode('latin-1'), cs if cs is None else cs.decode('latin-1')] for part, cs in decode_header(value)]
    except HeaderParseError:
        return None

def text(value):
    try:
        parts = decode_header(re.sub('\n\s', ' ', value))
    except HeaderParseError:
        parts = [(value, 'us-ascii')]
    whole = u''
    for part, cs in parts:
        try:
            whole += unicode(part, cs or 'us-ascii', 'replace')
        except LookupError:
            whole += unicode(part, 'iso-8859-1', 'replace')
        except Exception:
            return {'shunt': True}
    return normalize(form, whole)

for line in sys.stdin:
    value = json.loads(line)
    if mode == 'normalize':
        answer = normalize(form, value)
    elif mode == 'text':
        answer = text(value.encode('latin-1'))
    else:
        answer = words(value.encode('latin-1'))
    print(json.dumps(answer))
"""

COMMON = ["utf-8", "UTF-8", "iso-8859-1", "us-ascii", "windows-1252", "iso-8859-15", "koi8-r", "windows-1251", "gb2312", "big5", "iso-2022-jp", "shift_jis",
          "euc-kr", "ks_c_5601-1987", "euc-jp", "gbk", "gb18030", "iso-8859-2", "windows-1256", "iso-8859-8-i", "tis-620", "utf-7", "utf-16", "ascii"]
RARE = ["", "x", "unknown", "latin1", "utf8", "UTF 8", "utf.8", "iso.8859.1", "utf-8*en", "hex", "zlib", "base64", "idna", "punycode", "undefined", "rot13", "cp037",
        "utf-16le", "utf-16be", "utf_32", "utf-32-be", "utf-8-sig", "charmap", "mbcs", "dbcs", "aliases", "__init__", "tactis", "x\x00", "\xe9", "mac-roman", "cp864",
        "ansi_x3.4-1968", "string_escape", "uu", "quopri", "bz2", "cp932", "cp949", "cp950", "big5-hkscs", "hz", "johab", "koi8-u", "hp-roman8", "unicode_escape", "u" * 4085, "u" * 4086,
        "codecs", "_utf_8_", "utf--8", "\tutf-8", ".", "..", "iso8859-6", "cp1252", "cp720", "cp874"]
PIECES = ["=?", "?=", "?", "=", "?q?", "?b?", "?Q?", "?B?", "=?utf-8?q?", "=?utf-8?b?", " ", "\t", "\n", "\r", "\r\n ", "\n ", "\n\t", "\n\n", "a", "b", "_", "=41", "=e9", "=C3=A9", "=4", "YQ", "YQ==", "YWI=",
          "\xe9", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "Subject", "..."]
MODIFIERS = "\u0300\u0301\u0308\u0323\u0327\u0345\u05b0\u0e38\u0f71\u3099\u309a\u1d165\u0334"


def alphabetical(rng):
    return rng.choice([chr(rng.randrange(32, 127)), chr(rng.randrange(0x80, 0x250)), chr(rng.randrange(0x80, 0x3000)), chr(rng.randrange(0x3000, 0xd7a4)),
                       rng.choice("\ufb01\uff21\uff76\uff9e\u2460\u212b\u1100\u1161\u11a8\u1175\u1176\u11a7\u11c2\u11c3\uac00\uac01\u00c5\ufdfa\u0958"), rng.choice(MODIFIERS), rng.choice(MODIFIERS)])


def random_bytes(rng, charset):
    kind = rng.random()
    size = rng.choice([0, 1, 2, 4, 8, 20])
    if kind < 0.45:
        text = "".join(alphabetical(rng) for _ in range(size))
        try:
            return text.encode(charset, "ignore")
        except (LookupError, UnicodeError, TypeError, ValueError):
            return text.encode("utf-8")
    if kind < 0.55:
        return "".join(alphabetical(rng) for _ in range(size)).encode("utf-8")
    if kind < 0.6 and "2022" in charset:
        pieces = [b"\x1b", b"\x1b$B", b"\x1b(J", b"\x1b(B", b"\x1b$@", b"$", b"(", b")", b"&", b".", b"@", b"B", b"J", b"I", b"$B", b"\\", b"~", b"!!", b"0!", b" ", b"\n", b"\x0e", b"\xb1", b"1111"]
        return b"".join(rng.choice(pieces) for _ in range(size))
    if kind < 0.7:
        return bytes(rng.choice(b"a=?_ \xe9\xc3\xa9\xed\xa0\x80\xf0\x90\x8f\xf4\xff\xfe\x00\xd8\x1b$B(J~{") for _ in range(size))
    if kind < 0.85:
        return bytes(rng.randrange(0x20, 0x7f) for _ in range(size))
    return bytes(rng.randrange(256) for _ in range(size))


def random_word(rng, only):
    charset = only or rng.choice(COMMON if rng.random() < 0.8 else RARE)
    content = random_bytes(rng, charset)
    if rng.random() < 0.5:
        encoded = base64.b64encode(content).decode()
        if rng.random() < 0.2:
            at = rng.randint(0, len(encoded))
            encoded = encoded[:at] + rng.choice(["=", "==", " ", "\n ", "-", "A", "", "\xe9"]) + encoded[at + rng.randint(0, 2):]
        return "=?%s?%s?%s?=" % (charset, rng.choice("bB"), encoded)
    quoted = "".join(chr(b) if chr(b).isalnum() and b < 128 and rng.random() < 0.95 else "_" if b == 32 else (rng.choice(["=%02X", "=%02x"]) % b) for b in content)
    return "=?%s?%s?%s?=" % (charset, rng.choice("qQ"), quoted)


def random_value(rng, only):
    kind = rng.random()
    if kind < 0.2 and not only:
        pool = rng.sample(PIECES, rng.randint(2, 12)) if rng.random() < 0.5 else PIECES
        return "".join(rng.choice(pool) for _ in range(rng.randint(0, rng.choice([4, 12, 40]))))
    value = []
    for _ in range(rng.randint(1, rng.choice([1, 3, 6]))):
        value.append(random_word(rng, only) if only or rng.random() < 0.7 else rng.choice(PIECES))
        value.append(rng.choice(["", " ", " ", " ", "\n ", "\r\n ", "\t", "\r", "\n"]))
    return "".join(value if rng.random() < 0.5 else value[:-1])


NAMES = r"""
import encodings, json, os
from encodings import aliases
modules = [f.split('.')[0] for f in os.listdir(os.path.dirname(encodings.__file__))]
print(json.dumps(sorted(set(modules) | set(aliases.aliases) | set(aliases.aliases.values()))))
"""


def named_values(python):
    """Every name that Python knows, spelled in three ways, with every byte after a word in ASCII."""
    names = json.loads(subprocess.check_output([python, "-c", NAMES]))
    encoded = base64.b64encode(b"ab~\\" + bytes(range(256))).decode()
    spelled = [s for n in names for s in (n, n.upper().replace("_", "-"), n.replace("_", "."))]
    return ["a =?%s?b?%s?=" % (name, encoded) for name in spelled]


def random_text(rng):
    def point():
        c = rng.randrange(rng.choice([0x80, 0x3000, 0x3000, 0x11000, 0x20000, 0x110000]))
        return chr(c) if not 0xd800 <= c < 0xe000 else "a"
    return "".join(point() if rng.random() < 0.5 else alphabetical(rng) for _ in range(rng.choice([2, 4, 8, 30])))


def ask(command, values):
    text = "".join(json.dumps(v) + "\n" for v in values)
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--normalize", action="store_true")
    parser.add_argument("--charset")
    parser.add_argument("--form", default="NFKC")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python", default="python2.7")
    args = parser.parse_args()
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    subprocess.run(["cargo", "build", "-q", "--example", "words_answers"], check=True)
    mode = "text" if args.text else "normalize" if args.normalize else "words"
    ours = [os.path.join(target, "debug/examples/words_answers")] + ([] if mode == "words" else ["--" + mode, args.form])
    rng = random.Random(args.seed)
    differing = unknowable = shunted = 0
    by_charset = collections.Counter()
    compared = 0
    first = named_values(args.python) if args.text and not args.charset else []
    for start in range(0, args.n, 20000):
        count = min(20000, args.n - start)
        values = first + [random_text(rng) if args.normalize else random_value(rng, args.charset) for _ in range(count)]
        compared, first = compared + len(values), []
        judged = ask([args.python, "-c", JUDGE, mode, args.form], values)
        for value, expected, answer in zip(values, judged, ask(ours, values), strict=True):
            if answer == {"unknowable": True}:
                unknowable += 1
                by_charset.update({m.lower()[:30] for m in re.findall(r"=\?([^?]*)\?[qbQB]\?", value)})
                if expected != {"shunt": True}:
                    continue
            shunted += expected == {"shunt": True}
            if answer != expected:
                differing += 1
                if differing <= 20:
                    print("%.300r\n  Python %.300r\n  ours   %.300r" % (value, expected, answer))
    print("%d values, %d differ (%s)" % (compared, differing, args.python))
    if args.text:
        print("%d shunted; %d (%.2f %%) unknowable, charsets in them: %s" % (shunted, unknowable, 100 * unknowable / compared, by_charset.most_common(12)))
    sys.exit(differing > 0)


if __name__ == "__main__":
    main()
