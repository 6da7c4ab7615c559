#!/usr/bin/env python3
"""Writes src/python/re/tables/unicode{5,14}.rs: what a pattern asks of Unicode.

    tools/gen_unicode.py --python2 python2.7 --python3 python3.11

The tables are those of the interpreters themselves (Python 2.7: Unicode 5.2, Python 3.11:
Unicode 14.0), so the interpreters are asked, character by character. This file runs itself under
each of them with the argument `dump`.
"""
from __future__ import print_function

import json
import subprocess
import sys

LIMIT = 0x110000


def dump():
    """Prints the properties of every character as this interpreter has them."""
    if sys.version_info[0] == 2:
        char = unichr  # noqa: F821
        import sre_compile
        classes = [list(t) for t in sre_compile._equivalences]

        def lower(c):
            return ord(char(c).lower())

        def upper(c):
            return ord(char(c).upper())
    else:
        char = chr
        import _sre
        from re import _casefix
        extra = _casefix._EXTRA_CASES
        classes = sorted({tuple(sorted((k,) + v)) for k, v in extra.items()})
        lower = _sre.unicode_tolower

        def upper(c):
            up = char(c).upper()
            return ord(up) if len(up) == 1 else simple_upper(c)
    json.dump({
        'word': [c for c in range(LIMIT) if char(c).isalnum() or c == 0x5f],
        'digit': [c for c in range(LIMIT) if char(c).isdecimal()],
        'space': [c for c in range(LIMIT) if char(c).isspace()],
        'lower': [(c, lower(c)) for c in range(LIMIT) if lower(c) != c],
        'upper': [(c, upper(c)) for c in range(LIMIT) if upper(c) != c],
        'variants': classes,
    }, sys.stdout)


def simple_upper(c):
    """The one-character upper case of a character whose full one is longer."""
    import ctypes
    ask = ctypes.pythonapi._PyUnicode_ToUppercase
    ask.argtypes, ask.restype = [ctypes.c_uint32], ctypes.c_uint32
    return ask(c)


def edges(chars):
    """Where membership changes: first in, first out, first in, ..."""
    out = []
    for c in chars:
        if out and out[-1] == c:
            out[-1] = c + 1
        else:
            out += [c, c + 1]
    return out


def runs(pairs):
    """(first, last, step, distance) for characters mapped over one distance."""
    out = []
    for c, mapped in pairs:
        distance = mapped - c
        if out and out[-1][3] == distance:
            first, last, step, _ = out[-1]
            if first == last and c - last in (1, 2):
                out[-1] = (first, c, c - last, distance)
                continue
            if c - last == step:
                out[-1] = (first, c, step, distance)
                continue
        out.append((c, c, 1, distance))
    return [n for run in out for n in run]


def check(props):
    """What the Rust code takes for granted."""
    lower, upper = dict(props['lower']), dict(props['upper'])
    assert all(v not in lower for v in lower.values()), 'lower is idempotent'
    assert all((k < 0x10000) == (v < 0x10000) for k, v in lower.items()), 'planes kept'
    assert all((c < 128) <= (lower.get(c, c) < 128) for c in range(128))
    assert all((c < 128) <= (upper.get(c, c) < 128) for c in range(128))
    assert all(c not in lower and c < 0x10000 for t in props['variants'] for c in t)


def array(name, kind, numbers, doc):
    return '/// %s\npub(in super::super) static %s: [%s; %d] = [%s];\n' % (
        doc, name, kind, len(numbers), ', '.join(map(str, numbers)))


def module(title, props, with_upper):
    check(props)
    variants = ''.join('    &[%s],\n' % ', '.join(map(str, t)) for t in props['variants'])
    return ''.join([
        '//! %s. Written by tools/gen_unicode.py.\n\n' % title,
        array('WORD', 'u32', edges(props['word']), 'Edges of `\\w`.'),
        array('DIGIT', 'u32', edges(props['digit']), 'Edges of `\\d`.'),
        array('SPACE', 'u32', edges(props['space']), 'Edges of `\\s`.'),
        array('LOWER', 'i32', runs(props['lower']),
              'First, last, step and distance of runs with another lower case.'),
        array('UPPER', 'i32', runs(props['upper']),
              'First, last, step and distance of runs with another upper case.')
        if with_upper else '',
        '/// Lower case characters that `re` takes for the same under IGNORECASE.\n',
        'pub(in super::super) static VARIANTS: [&[u32]; %d] = [\n%s];\n'
        % (len(props['variants']), variants),
    ])


def main(argv):
    if argv == ['dump']:
        return dump()
    python2 = argv[argv.index('--python2') + 1] if '--python2' in argv else 'python2.7'
    python3 = argv[argv.index('--python3') + 1] if '--python3' in argv else 'python3.11'
    for name, python, title in (
            ('unicode5', python2, 'Unicode 5.2 as in Python 2.7'),
            ('unicode14', python3, 'Unicode 14.0 as in Python 3.11')):
        props = json.loads(subprocess.check_output([python, __file__, 'dump']))
        path = 'src/python/re/tables/%s.rs' % name
        with open(path, 'w') as out:
            out.write(module(title, props, name == 'unicode14'))
        subprocess.check_call(['rustfmt', '--edition', '2024', path])


if __name__ == '__main__':
    main(sys.argv[1:])
