#!/usr/bin/env python3
"""Random address headers, judged by Python's own email.utils.

    tools/fuzz_addresses.py N [--python3] [--seed S] [--python PATH]

Compares examples/address_answers with Python 2.7 (python2.7 on the PATH or --python), or with
--python3 with Python 3.11. Prints each difference (at most 20) and a count; exit status 1 if
there was one. Also runs values of nested groups and comments: up to 900 frames, as
src/python/addresses.rs counts them, the answers must agree, and from there on ours is null.
"""
import argparse
import json
import os
import random
import subprocess
import sys

JUDGE = r"""
from __future__ import print_function
import json, sys
from email.utils import getaddresses
two = sys.version_info[0] == 2
for line in sys.stdin:
    value = json.loads(line)
    if two:
        value = value.encode('latin-1')
    try:
        pairs = getaddresses([value])
        if two:
            pairs = [[part.decode('latin-1') for part in pair] for pair in pairs]
    except RuntimeError:
        pairs = None
    print(json.dumps(pairs))
"""

WORDS = ["joe", "Joe", "x.org", "a.b", "root", "MAILER-DAEMON", "=?utf-8?q?J=C3=B6?=", "1", "a", "b", "%s", "$x", "'", "`"]
SPECIALS = list('()<>@,:;."[]\\')
BLANKS = [" ", "\t", "\n", "\r", "\r\n ", "\n\t", "  "]
ODD = ["\0", "\x0b", "\x0c", "\x1c", "\x1f", "\x7f", "\x85", "\xa0", "\xc4", "\xe9", "\xff"]
ODD_TEXT = ["\u00e9", "\u0130", "\u03a3", "\u1680", "\u180e", "\u2003", "\u2028", "\u2029", "\u205f", "\u3000", "\u200b", "\ufeff", "\U0001f600"]
PIECES = ["joe@x.org", "<joe@x.org>", '"Joe (x)" <a@b>', "(comment)", "((nested) c)", '"quoted"', '"a\\"b"', "g: a@b, c@d;", "<@r1,@r2:a@b>",
          "[127.0.0.1]", "a@[1\\]2]", "a @ b . c", "a@b@c", "<a@b", '"open', "(open", "a@", "@b", ", ", " . ", "a . b"]


def random_value(rng, odd):
    kind = rng.random()
    if kind < 0.15:
        pool = SPECIALS
    elif kind < 0.3:
        pool = SPECIALS + BLANKS + ["a", "b"]
    elif kind < 0.4:
        pool = odd + BLANKS + [".", "@", "a", '"', "<", "\\"]
    else:
        pool = WORDS + SPECIALS * 2 + BLANKS + odd + PIECES * 2
    if rng.random() < 0.3:
        pool = rng.sample(pool, min(len(pool), rng.randint(2, 8)))
    return "".join(rng.choice(pool) for _ in range(rng.randint(0, rng.choice([3, 8, 16, 40]))))


def deep_values():
    for n in (1, 2, 100, 300, 440, 448, 449):
        yield False, "(" * n + "c" + ")" * n + " a@b"
        yield False, "g:" * n + "a@b" + ";" * n + ", c@d"
        yield False, "g:" * (2 * n) + "a@b"
    for n in (450, 500, 5000):
        yield True, "(" * n
        yield True, "g:" * 2 * n
        yield True, "g:" * 500 + "a@(" + "(" * n
    yield False, "g:" * 499 + "(" * 200 + "a@b"


def ask(command, values):
    text = "".join(json.dumps(v) + "\n" for v in values)
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int)
    parser.add_argument("--python3", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python")
    args = parser.parse_args()
    python = args.python or ("python3.11" if args.python3 else "python2.7")
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    subprocess.run(["cargo", "build", "-q", "--example", "address_answers"], check=True)
    ours = [os.path.join(target, "debug/examples/address_answers")] + ["--python3"] * args.python3
    rng = random.Random(args.seed)
    odd = ODD + ODD_TEXT if args.python3 else ODD
    differing = compared = 0
    deep = list(deep_values())
    batches = [([v for _, v in deep], [d for d, _ in deep])]
    for start in range(0, args.n, 20000):
        count = min(20000, args.n - start)
        batches.append(([random_value(rng, odd) for _ in range(count)], [False] * count))
    for values, too_deep in batches:
        theirs = ask([python, "-c", JUDGE], values)
        for value, expected, deep_one, answer in zip(values, theirs, too_deep, ask(ours, values), strict=True):
            compared += 1
            if answer != (None if deep_one else expected):
                differing += 1
                if differing <= 20:
                    print("%.200r\n  Python %.200r\n  ours   %.200r" % (value, expected, answer))
    print("%d values, %d differ (%s)" % (compared, differing, python))
    sys.exit(differing > 0)


if __name__ == "__main__":
    main()
