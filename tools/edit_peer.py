#!/usr/bin/env python3
"""Random pickles with a ban_list, and a judge of what became of them.

    edit_peer.py generate SEED COUNT

prints COUNT lines of JSON: `pickle` (hex), `two` (as Python 2 writes it), `edits`: pairs of
"add" or "remove" and a string (hex of its bytes, or of its UTF-8), and `error`: whether the
list is none that may be changed.

    edit_peer.py judge

reads lines `TWO OLD NEW EDIT STRING` (TWO is 0 or 1, the rest as above), loads both pickles with
every unpickler there is, and fails unless they differ in `ban_list` alone and in the way that the
edit says. Prints how many it judged.
"""
import io
import json
import pickle
import random
import sys

from lock_peer import BounceInfo, fake_mailman
from pickle_peer import Python2Pickler


def dumped(rng, value, two):
    out = io.BytesIO()
    protocol = rng.choice([0, 1, 1, 1, 2])
    pickler = Python2Pickler if two else rng.choice([pickle._Pickler, pickle.Pickler])
    pickler(out, protocol).dump(value)
    return out.getvalue()


def case(rng):
    two = rng.random() < 0.5
    string = (lambda text: text.encode("latin-1", "replace")) if two else str
    letters = "ab^.*@\\\n' \xfc"

    def word():
        length = rng.choice([1, 2, 8, 30, 255, 256, 300])
        return string("".join(rng.choice(letters) for _ in range(length)))

    pool = [word() for _ in range(rng.choice([1, 3, 10]))]
    count = rng.choice([0, 0, 1, 1, 2, 3, 7, 7, 1000, 1001, 2500])
    # The same object twice, and objects that other lists have, too.
    bans = [rng.choice(pool) if rng.random() < 0.5 else word() for _ in range(count)]
    top = {}
    lists = ["accept_these_nonmembers", "ban_list", "hold_these_nonmembers"]
    parts = [(name, rng.sample(pool, min(2, len(pool))) + [word()]) for name in lists]
    parts += [("data_version", 112), ("notice", rng.choice(pool)), ("members", {w: 0 for w in pool})]
    info = BounceInfo()
    info.member, info.noticesleft, info.date = pool[0], 3, (2020, 1, 2)
    if rng.random() < 0.5:
        parts.append(("bounce_info", {pool[0]: info, "other": info}))
    rng.shuffle(parts)
    for name, value in parts:
        top[string(name)] = value
    key, kind = string("ban_list"), rng.random()
    error = False
    if kind < 0.6:
        top[key] = bans
    elif kind < 0.75:
        # One list under two keys, whichever comes first.
        other = string(rng.choice(["accept_these_nonmembers", "hold_these_nonmembers"]))
        top[key] = top[other] = bans
    elif kind < 0.85:
        del top[key]
        bans = []
    else:
        error = True
        top[key] = rng.choice([tuple(bans) + (pool[0],), None, pool[0], bans + [7], [bans], {}])
    edits = []
    for _ in range(rng.choice([1, 2, 5])):
        if rng.random() < 0.5:
            edits.append(["add", word()])
        else:
            known = bans + [entry for kind, entry in edits if kind == "add"] + pool
            edits.append(["remove", rng.choice(known)])
    shown = lambda s: (s if two else s.encode()).hex()
    return {
        "pickle": dumped(rng, top, two).hex(),
        "two": two,
        "edits": [[kind, shown(entry)] for kind, entry in edits],
        "error": error,
    }


def same(one, other, seen):
    """Whether two values are equal and shared in the same places."""
    if type(one) is not type(other):
        return False
    if not isinstance(one, (list, tuple, dict, BounceInfo)):
        return one == other
    if id(one) in seen:
        return seen[id(one)] == id(other)
    seen[id(one)] = id(other)
    if isinstance(one, BounceInfo):
        one, other = one.__dict__, other.__dict__
    if isinstance(one, dict) and not same_items(one.keys(), other.keys(), seen):
        return False
    if isinstance(one, dict):
        one, other = one.values(), other.values()
    return same_items(one, other, seen)


def same_items(one, other, seen):
    return len(one) == len(other) and all(same(a, b, seen) for a, b in zip(one, other))


def loads(data, two):
    encoding = "bytes" if two else "utf-8"
    for unpickler in (pickle.Unpickler, pickle._Unpickler):
        # The pure one has marks of its own; what it makes must not differ.
        yield unpickler(io.BytesIO(data), encoding=encoding).load()


def judge(two, old, new, edit, entry):
    key = b"ban_list" if two else "ban_list"
    entry = entry if two else entry.decode()
    for before, after in zip(loads(old, two), loads(new, two)):
        expected = list(before.get(key, []))
        if edit == "add":
            expected.append(entry)
        else:
            expected = [e for e in expected if e != entry]
        assert after.get(key, []) == expected, (edit, entry, expected, after.get(key))
        assert all(type(e) is type(entry) for e in after.get(key, []))
        before.pop(key, None)
        after.pop(key, None)
        assert same(before, after, {}), "more than ban_list has changed"


def main():
    fake_mailman()
    if sys.argv[1] == "generate":
        seed, count = int(sys.argv[2]), int(sys.argv[3])
        for number in range(count):
            print(json.dumps(case(random.Random(seed * 1_000_003 + number))))
        return
    judged = 0
    for line in sys.stdin:
        # An empty string leaves its field empty.
        two, old, new, edit, entry = line.rstrip("\n").split(" ")
        judge(two == "1", bytes.fromhex(old), bytes.fromhex(new), edit, bytes.fromhex(entry))
        judged += 1
    print(judged)


if __name__ == "__main__":
    main()
