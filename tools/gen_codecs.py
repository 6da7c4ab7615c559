#!/usr/bin/env python3
"""Writes src/python/words/charset/{names,single_byte}.rs: Python 2.7's codecs, asked of itself.

    tools/gen_codecs.py [--python python2.7]

This file runs itself under Python 2.7 with the argument `dump`.
"""
from __future__ import print_function

import json
import subprocess
import sys
import unicodedata

# Codecs that decode more than a byte at a time, or no text at all.
OTHERS = {
    "ascii": "Ascii", "latin_1": "Latin1", "iso8859_1": "Latin1", "charmap": "Latin1", "utf_8": "Utf8", "utf_8_sig": "Utf8Sig",
    "utf_16": "Utf16(None)", "utf_16_be": "Utf16(Some(Order::Big))", "utf_16_le": "Utf16(Some(Order::Little))",
    "utf_32": "Utf32(None)", "utf_32_be": "Utf32(Some(Order::Big))", "utf_32_le": "Utf32(Some(Order::Little))",
    "big5": "EastAsian(Double::Big5)", "cp950": "EastAsian(Double::Cp950)", "gb2312": "EastAsian(Double::Gb2312)", "gbk": "EastAsian(Double::Gbk)",
    "euc_kr": "EastAsian(Double::EucKr)", "cp949": "EastAsian(Double::Cp949)", "shift_jis": "EastAsian(Double::ShiftJis)", "cp932": "EastAsian(Double::Cp932)",
    "euc_jp": "EastAsian(Double::EucJp)", "iso2022_jp": "Iso2022Jp", "gb18030": "EastAsian(Double::Gb18030)",
}
RAISING = {"base64_codec", "bz2_codec", "hex_codec", "idna", "punycode", "quopri_codec", "string_escape", "undefined", "uu_codec", "zlib_codec"}
UNTOLD = {"unicode_escape", "raw_unicode_escape", "unicode_internal"}
MISSING = {"mbcs", "aliases", "tactis"}


def dump():
    """Prints the codecs' names, their aliases, and what each byte is by itself."""
    import codecs
    import encodings
    import os
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
    texts = {}
    for module in modules:
        if module in RAISING or module in UNTOLD or module in OTHERS:
            continue
        points = [[ord(c) for c in unicode(chr(b), module, "replace")] for b in range(256)]  # noqa: F821
        if all(len(p) == 1 for p in points):
            try:
                all_at_once = unicode(bytes(bytearray(range(256))), module, "replace")  # noqa: F821
            except UnicodeError:
                continue
            if [ord(c) for c in all_at_once] == [p[0] for p in points]:
                texts[module] = [p[0] for p in points]
    json.dump({"modules": modules, "aliases": found, "texts": texts}, sys.stdout)


def rust_char(point):
    char = chr(point)
    plain = unicodedata.category(char)[0] in "LNPS" and unicodedata.bidirectional(char) not in ("R", "AL", "AN") and unicodedata.category(char) != "Lm"
    if char in '\\"':
        return "\\" + char
    return char if plain else "\\u{%x}" % point


def codec(module, data):
    if module in data["texts"]:
        return "SingleByte(&single_byte::%s)" % module.upper()
    if module in RAISING:
        return "Raises"
    return OTHERS.get(module, "Untold")


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
        out.write("//! The names that Python 2.7 knows charsets by.\n" + head + "use super::codec::{Codec, Codec::*};\nuse super::double::Double;\nuse super::single_byte;\nuse super::utf::Order;\n\n")
        out.write("/// Modules of `encodings`, sorted.\npub(super) static MODULES: &[(&str, Codec)] = &[\n")
        for module in data["modules"]:
            out.write('    ("%s", %s),\n' % (module, codec(module, data)))
        out.write("];\n\n/// `encodings.aliases`: a further name, the module. Sorted.\npub(super) static ALIASES: &[(&str, &str)] = &[\n")
        for alias, module in sorted(data["aliases"].items()):
            out.write('    ("%s", "%s"),\n' % (alias, module))
        out.write("];\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["dump"]:
        dump()
    else:
        main()
