#!/usr/bin/env python3
"""Writes src/python/words/charset/{names,single_byte,double_tables}.rs: Python 2.7's codecs.

    tools/gen_codecs.py [--python python2.7]

Python is asked itself: this file runs itself under Python 2.7 with the argument `dump`.
double_tables.rs is where encoding_rs, asked through examples/words_answers, differs.
"""
from __future__ import print_function

import json
import os
import subprocess
import sys
import unicodedata

# Codecs that decode more than a byte at a time, or no text at all.
OTHERS = {
    "ascii": "Ascii", "latin_1": "Latin1", "iso8859_1": "Latin1", "charmap": "Latin1", "utf_8": "Utf8", "utf_8_sig": "Utf8Sig",
    "utf_16": "Utf16(None)", "utf_16_be": "Utf16(Some(Order::Big))", "utf_16_le": "Utf16(Some(Order::Little))",
    "utf_32": "Utf32(None)", "utf_32_be": "Utf32(Some(Order::Big))", "utf_32_le": "Utf32(Some(Order::Little))",
    "iso2022_jp": "Iso2022Jp", "utf_7": "Utf7",
}
RAISING = {"base64_codec", "bz2_codec", "hex_codec", "idna", "punycode", "quopri_codec", "string_escape", "undefined", "uu_codec", "zlib_codec"}
# Of one or two bytes a character: the encoding in encoding_rs.
DOUBLE = {"big5": "big5", "cp950": "big5", "gb2312": "gbk", "gbk": "gbk", "gb18030": "gb18030", "euc_kr": "euc-kr", "cp949": "euc-kr",
          "shift_jis": "shift_jis", "cp932": "shift_jis", "euc_jp": "euc-jp"}
KINDS = {"gb18030": "Gb18030", "euc_kr": "EucKr", "shift_jis": "ShiftJis", "cp932": "Cp932", "euc_jp": "EucJp"}
UNTOLD = {"unicode_escape", "raw_unicode_escape", "unicode_internal"}
MISSING = {"mbcs", "aliases", "tactis"}


def dump():
    """Prints the codecs' names, their aliases, and what each byte is by itself."""
    import codecs
    import encodings
    from encodings import aliases
    folder = os.path.dirname(encodings.__file__)
    modules = sorted({f.split(".")[0] for f in os.listdir(folder) if not f.startswith("__")} - MISSING)
    found = {}
    for alias, module in aliases.aliases.items():
        try:
            codecs.lookup(alias)
        except LookupError:
            continue
        found[alias] = module
    names = dict((m, codecs.lookup(m).name) for m in modules)
    texts = {}
    for module in modules:
        if module in RAISING or module in UNTOLD or module in OTHERS or module in DOUBLE:
            continue
        points = [[ord(c) for c in unicode(chr(b), module, "replace")] for b in range(256)]  # noqa: F821
        if all(len(p) == 1 for p in points):
            try:
                all_at_once = unicode(bytes(bytearray(range(256))), module, "replace")  # noqa: F821
            except UnicodeError:
                continue
            if [ord(c) for c in all_at_once] == [p[0] for p in points]:
                texts[module] = [p[0] for p in points]
    doubles = {}
    for module in DOUBLE:
        decoded = [unicode(chr(p >> 8) + chr(p & 255), module, "replace") for p in range(0x8000, 0x10000)]  # noqa: F821
        doubles[module] = [ord(t) if len(t) == 1 and t != u"\ufffd" else None for t in decoded]
    json.dump({"modules": modules, "names": names, "aliases": found, "texts": texts, "doubles": doubles}, sys.stdout)


def rust_char(point):
    char = chr(point)
    plain = unicodedata.category(char)[0] in "LNPS" and unicodedata.bidirectional(char) not in ("R", "AL", "AN") and unicodedata.category(char) != "Lm"
    if char in '\\"':
        return "\\" + char
    return char if plain else "\\u{%x}" % point


# Of these, ASCII alone is followed, and only what means the same in all of them.
PLAIN = ["big5hkscs", "euc_jis_2004", "euc_jisx0213", "johab", "shift_jis_2004", "shift_jisx0213"]
# Here a byte over 127 is an error by itself.
SEVEN_BIT = ["hz", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext", "iso2022_kr"]


def codec(module, data):
    if module in data["texts"]:
        return "SingleByte(&single_byte::%s)" % module.upper()
    if module in RAISING:
        return "Raises"
    if module in DOUBLE:
        return "EastAsian(&double_tables::%s)" % module.upper()
    followed = "SevenBit" if module in SEVEN_BIT else "Plain" if module in PLAIN else "Untold"
    return OTHERS.get(module, followed)


def encoding_rs(label):
    """What each pair from 0x8000 on is to encoding_rs: a character's code point or None."""
    pairs = "".join(json.dumps(chr(p >> 8) + chr(p & 255)) + "\n" for p in range(0x8000, 0x10000))
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    command = [os.path.join(target, "debug/examples/words_answers"), "--encoding-rs", label]
    answers = subprocess.run(command, input=pairs.encode(), stdout=subprocess.PIPE, check=True).stdout
    texts = [json.loads(line) for line in answers.splitlines()]
    return [ord(t) if t is not None and len(t) == 1 else None for t in texts]


def write_double(out, module, python):
    """The pairs that are nothing in Python, and those that are something else."""
    absent, runs, last = [], [], None
    can_merge = False
    for pair, (ours, theirs) in enumerate(zip(encoding_rs(DOUBLE[module]), python), 0x8000):
        if theirs is None and ours is not None:
            if can_merge:
                absent[-1][1] = pair
            else:
                absent.append([pair, pair])
            can_merge = True
        elif theirs is not None:
            can_merge = False
            if ours != theirs:
                if last != pair - 1:
                    runs.append((pair, []))
                runs[-1][1].append(rust_char(theirs))
                last = pair
    out.write("\npub(super) static %s: Double = Double {\n    encoding: &encoding_rs::%s_INIT,\n    kind: Kind::%s,\n" % (
        module.upper(), DOUBLE[module].upper().replace("-", "_"), KINDS.get(module, "Plain")))
    out.write("    absent: &[%s],\n" % "".join("(0x%04x, 0x%04x)," % (a, b) for a, b in absent))
    out.write("    other: &[%s],\n};\n" % "".join('(0x%04x, "%s"),' % (pair, "".join(chars)) for pair, chars in runs))


def main():
    python = sys.argv[2] if sys.argv[1:2] == ["--python"] else "python2.7"
    data = json.loads(subprocess.check_output([python, __file__, "dump"]))
    head = "// Written by tools/gen_codecs.py from Python 2.7 itself.\n\n"
    with open("src/python/words/charset/single_byte.rs", "w") as out:
        out.write("//! Charsets of one byte a character, as Python 2.7 decodes them with `replace`.\n" + head)
        out.write("/// What each byte is: the first half where it is not ASCII, and the second half.\n#[derive(Debug)]\n"
                  "pub(super) struct SingleByte {\n    pub(super) low: Option<&'static str>,\n    pub(super) high: &'static str,\n}\n")
        for module, points in sorted(data["texts"].items()):
            low, high = ('"%s"' % "".join(map(rust_char, half)) for half in (points[:128], points[128:]))
            low = "None" if points[:128] == list(range(128)) else "Some(%s)" % low
            out.write("\npub(super) static %s: SingleByte = SingleByte {\n    low: %s,\n    high: %s,\n};\n" % (module.upper(), low, high))
    with open("src/python/words/charset/names.rs", "w") as out:
        out.write("//! The names that Python 2.7 knows charsets by.\n" + head + "use super::codec::{Codec, Codec::*};\nuse super::utf::Order;\nuse super::{double_tables, single_byte};\n\n")
        out.write("/// Modules of `encodings`, sorted.\npub(super) static MODULES: &[(&str, Codec)] = &[\n")
        for module in data["modules"]:
            out.write('    ("%s", %s),\n' % (module, codec(module, data)))
        out.write("];\n\n/// `encodings.aliases`: a further name, the module. Sorted.\npub(super) static ALIASES: &[(&str, &str)] = &[\n")
        for alias, module in sorted(data["aliases"].items()):
            out.write('    ("%s", "%s"),\n' % (alias, module))
        out.write("];\n\n/// What `codecs.lookup` calls a module's codec, where that is not the module's name. Sorted.\npub(super) static CODEC_NAMES: &[(&str, &str)] = &[\n")
        for module, name in sorted(data["names"].items()):
            if name != module:
                out.write('    ("%s", "%s"),\n' % (module, name))
        out.write("];\n")
    subprocess.run(["cargo", "build", "-q", "--example", "words_answers"], check=True)
    with open("src/python/words/charset/double_tables.rs", "w") as out:
        out.write("//! Where Python 2.7's East Asian charsets differ from `encoding_rs`.\n" + head + "use super::double::{Double, Kind};\n")
        for module in sorted(DOUBLE):
            write_double(out, module, data["doubles"][module])


if __name__ == "__main__":
    if sys.argv[1:] == ["dump"]:
        dump()
    else:
        main()
