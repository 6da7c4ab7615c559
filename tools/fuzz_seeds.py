#!/usr/bin/env python3
"""Writes the inputs that fuzzing a target begins with: from the test fixtures.

    tools/fuzz_seeds.py TARGET FOLDER
"""
import base64
import glob
import json
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures")


def files(*patterns):
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
            with open(path, "rb") as source:
                yield source.read()


def rows(name):
    with open(os.path.join(ROOT, "vectors", name), encoding="utf-8") as source:
        return [json.loads(line) for line in source]


def patterns():
    for name, flags in (("regex-bytes.jsonl", b"\x04"), ("regex-unicode.jsonl", b"\x1d")):
        table = rows(name)
        subjects = [s.encode("latin-1", "replace") for s in table[0]["subjects"]]
        for number, row in enumerate(table[1:]):
            pattern = row["pattern"].encode("utf-8", "replace").replace(b"\0", b"")
            yield flags + pattern + b"\0" + subjects[number % len(subjects)]


def messages():
    for number, text in enumerate(files("corpus/*/messages/*.eml")):
        yield bytes([number % 5, number * 7 % 256, number % 64]) + text


def headers():
    yield from files("corpus/*/messages/*.eml")
    yield from (row["value"].encode("latin-1") for row in rows("addresses.jsonl"))
    yield from (row["raw"].encode("latin-1") for row in rows("headers.jsonl"))


def requests():
    coded = lambda text: base64.b64encode(text.encode()).decode()
    lines = [
        "query: ping", "query: status", "query: metrics",
        "query: list-domain\nlist: team\ndomain: lists.example.org\njson: yes",
        "query: list-domain\nlist: club@lists.example.net",
        "query: test-sender\nlist: announce\nenvelope-from: \nfrom: Eve <eve@example.net>",
        "query: test-sender\nlist: held\naddress: a@b\nheld: refuse\ndiscarded: permit\nutf8: yes",
        "query: test-sender\nlist: team\nsender: x\nreply-to: y\napproved: yes\nexplain: yes",
        "query: test-sender\nlist: announce\nfrom-base64: %s\nenvelope-from-base64: %s"
        % (coded("a@b:c::d"), coded("e@f")),
        "query: test-message\nlist: team\nheaders-base64: %s\nbody-base64: %s\nbody-complete: yes"
        % (coded("From: eve@example.net\nSubject: x\n"), coded("Approved: x\n\ntext\n")),
        "query: test-message\nlist: announce\nheaders-base64: %s\nheaders-cut: yes\napproved: no\n"
        "from-base64: %s\ndmarc-policy: reject\ndialect: 2.2" % (coded("X: y\n"), coded("a@b")),
    ]
    for text in lines:
        yield b"\0mm-query: 1\n" + text.encode() + b"\n\n"
        yield b"\0mm-query: 1\r\n" + text.replace("\n", "\r\n").encode() + b"\r\n"


SEEDS = {
    "serve": requests,
    "pickle": lambda: files("lists/*/config.pck", "corpus/*/lists/*/config.pck"),
    "edit": lambda: files("lists/*/config.pck", "corpus/*/lists/*/config.pck"),
    "headers": headers,
    "regex": patterns,
    "mm_cfg": lambda: files("mm_cfg/*", "corpus/*/mm_cfg.py"),
    "message": messages,
}


def main():
    target, folder = sys.argv[1:]
    for number, seed in enumerate(SEEDS[target]()):
        with open(os.path.join(folder, "seed-%05d" % number), "wb") as out:
            out.write(seed)


if __name__ == "__main__":
    main()
