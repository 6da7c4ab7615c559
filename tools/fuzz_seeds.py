#!/usr/bin/env python3
"""Writes the inputs that fuzzing a target begins with: from the test fixtures.

    tools/fuzz_seeds.py TARGET FOLDER
"""
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


SEEDS = {
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
