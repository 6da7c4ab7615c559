#!/usr/bin/env python3
"""Random pickles as a Mailman list might have them, and what they hold.

    pickle_peer.py SEED COUNT

prints COUNT lines of JSON, each an object with

    pickle    the pickle, in hex
    two       whether it is as Python 2 writes it (byte strings, protocols 0 to 2)
    values    the top-level items: value by key
    dicts     of some top-level keys, what each of `addresses` has there (null: no such key),
              or false if the value is no dict
    addresses the addresses (as values)
    foreign   whether the pickle names a class that a stock Mailman lacks

A value is null, a bool, or an object with one member: i (int, decimal), f (float, hex of its
bytes), b (bytes, hex), t (text), l (list), u (tuple), s (set), z (frozenset), d (dict: pairs).
"""
import collections
import io
import json
import pickle
import pickletools
import random
import struct
import sys


class Thing:
    """A class that Mailman does not have."""


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 writes its strings."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_str(self, obj):
        if self.proto == 0:
            text = repr(obj)[1:]
            self.write(b"S" + text.encode("ascii") + b"\n")
        elif len(obj) < 256:
            self.write(b"U" + struct.pack("<B", len(obj)) + obj)
        else:
            self.write(b"T" + struct.pack("<i", len(obj)) + obj)
        self.memoize(obj)

    dispatch[bytes] = save_str


class Maker:
    """Makes random values, some of them the same object in several places."""

    def __init__(self, rng, two):
        self.rng = rng
        self.two = two
        self.pool = []
        self.foreign = False

    def text(self):
        # Python 2 takes equal ASCII of both string types for the same key: have no such text.
        start = "\u00fc" if self.two else ""
        alphabet = "ab\\\n\r'\" u0\u00e9\u20ac\U0001f600\ud800\x00\x1a"
        return start + "".join(self.rng.choice(alphabet) for _ in range(self.length()))

    def bytes(self):
        return bytes(self.rng.choice(b"ab\\\n\r'\" x0\xe9\xff\x00") for _ in range(self.length()))

    def length(self):
        return self.rng.choice([0, 1, 2, 3, 5, 8, 20, 60, 255, 256, 300])

    def integer(self):
        bits = self.rng.choice([1, 7, 8, 15, 16, 31, 32, 63, 64, 65, 200, 3000])
        value = self.rng.getrandbits(bits) + self.rng.choice([0, 1, -1])
        return value * self.rng.choice([1, -1])

    def atom(self):
        rng = self.rng
        return rng.choice(
            [
                lambda: None,
                lambda: rng.random() < 0.5,
                self.integer,
                lambda: rng.choice([0.0, 1.5, -2.25, 1e300, float("inf"), 1 / 3]),
                self.text,
                self.bytes,
            ]
        )()

    def key(self):
        rng = self.rng
        kind = rng.randrange(6)
        if kind == 0:
            return tuple(self.key() for _ in range(rng.randrange(5)))
        if kind == 1:
            return rng.choice([None, True, False, rng.randrange(1000)])
        if kind == 2 and rng.random() < 0.3:
            return frozenset([rng.randrange(9), self.bytes()])
        return self.bytes() if rng.random() < 0.5 else self.text()

    def value(self, depth=0):
        rng = self.rng
        if self.pool and rng.random() < 0.2:
            return rng.choice(self.pool)
        value = self.fresh(depth)
        self.pool.append(value)
        return value

    def fresh(self, depth):
        rng = self.rng
        if depth > 4 or rng.random() < 0.4:
            return self.atom()
        count = rng.choice([0, 1, 1, 2, 3, 4, 7])
        kind = rng.randrange(9)
        items = [self.value(depth + 1) for _ in range(count)]
        if kind < 2:
            return items
        if kind < 4:
            return tuple(items)
        if kind < 6:
            return {self.key(): item for item in items}
        if kind == 6:
            made = set if rng.random() < 0.5 else frozenset
            return made(self.key() for _ in range(count))
        if kind == 7:
            return bytearray(self.bytes())
        if rng.random() < 0.5:
            return collections.OrderedDict((self.key(), item) for item in items)
        thing = Thing()
        for number, item in enumerate(items):
            setattr(thing, "attribute%d" % number, item)
        return thing


def shown(value):
    """The value as JSON; see the top."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": struct.pack(">d", value).hex()}
    if isinstance(value, (bytes, bytearray)):
        return {"b": bytes(value).hex()}
    if isinstance(value, str):
        return {"t": "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in value)}
    if isinstance(value, list):
        return {"l": [shown(item) for item in value]}
    if isinstance(value, tuple):
        return {"u": [shown(item) for item in value]}
    if isinstance(value, set):
        return {"s": [shown(item) for item in value]}
    if isinstance(value, frozenset):
        return {"z": [shown(item) for item in value]}
    if isinstance(value, dict):
        return {"d": [[shown(key), shown(item)] for key, item in value.items()]}
    # Without attributes there is no BUILD, and None is all that is known.
    return shown(value.__dict__) if value.__dict__ else None


def things(value, seen):
    """Whether a Thing is somewhere in the value."""
    if id(value) in seen:
        return False
    seen.add(id(value))
    if isinstance(value, Thing):
        return True
    if isinstance(value, dict):
        return any(things(item, seen) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(things(item, seen) for item in value)
    return False


def dumped(rng, value, two):
    protocol = rng.randrange(3) if two else rng.randrange(6)
    out = io.BytesIO()
    if two:
        Python2Pickler(out, protocol).dump(value)
    elif rng.random() < 0.5:
        pickle._Pickler(out, protocol).dump(value)
    else:
        pickle.Pickler(out, protocol).dump(value)
    data = out.getvalue()
    # optimize() reads STRING with the escapes of Python 3 and frames: leave these as they are.
    if not two and rng.random() < 0.3:
        data = pickletools.optimize(data)
    return data


def case(rng):
    two = rng.random() < 0.5
    maker = Maker(rng, two)
    string = (lambda text: text.encode()) if two else str
    addresses = [string("m%d@h%d.example" % (n, n % 3)) for n in range(rng.choice([1, 3, 8, 40, 1200]))]
    wanted = rng.sample(addresses, min(len(addresses), 5)) + [string("absent@example.org")]
    top = {}

    def table(share):
        chosen = [a for a in addresses if rng.random() < share]
        fresh = rng.random() < 0.5
        value = lambda: rng.choice([0, 0, 0, string("Kept@Example.org"), None, 384, (2, 1.5)])
        # Copies are other objects: the pickle then has them anew instead of from the memo.
        return {(a[:1] + a[1:] if fresh else a): value() for a in chosen}

    parts = []
    for number in range(rng.randrange(8)):
        parts.append(("setting%d" % number, maker.value()))
    lookups = ["members", "digest_members", "user_options", "absent"]
    parts.append(("members", table(rng.choice([0, 0.5, 1]))))
    parts.append(("digest_members", table(rng.choice([0, 0.02, 0.3]))))
    if rng.random() < 0.7:
        odd = maker.value()
        parts.append(("user_options", table(0.5) if rng.random() < 0.7 else odd))
    parts.append(("passwords", {a: string("pw") for a in addresses}))
    parts.append(("policy", rng.sample(addresses, min(len(addresses), 3)) + [maker.value()]))
    rng.shuffle(parts)
    for name, value in parts:
        top[string(name)] = value
    if rng.random() < 0.2:
        top[maker.key()] = maker.value()
    # A key's name as an item of a list, and as a member's.
    top[string("list")] = [string("members")]
    dicts = {}
    for name in lookups:
        value = top.get(string(name), dicts)
        if value is dicts:
            continue
        if isinstance(value, dict):
            dicts[name] = [[shown(value[a])] if a in value else None for a in wanted]
        else:
            dicts[name] = False
    names = [name for name, _ in parts] + ["list"]
    return {
        "pickle": dumped(rng, top, two).hex(),
        "two": two and isinstance(next(iter(top)), bytes),
        "values": {name: shown(top[string(name)]) for name in names},
        "dicts": dicts,
        "addresses": [shown(a) for a in wanted],
        "foreign": any(things(value, set()) for value in top.values()),
    }


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    for number in range(count):
        print(json.dumps(case(random.Random(seed * 1_000_003 + number))))


if __name__ == "__main__":
    main()
