#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Judges the cases of a corpus anew and compares.

    replay.py MAILMAN_SOURCE SCRATCH CORPUS_DIR...

Exit status 1 if a verdict, reason or notice differs.
"""

from __future__ import print_function

import json
import os
import sys

import mailman_site

COMPARED = ('verdict', 'reason', 'notice')


def replay(corpus, prefix):
    """Prints each difference and the totals; returns the differences' number."""
    import judge
    total = differences = 0
    with open(os.path.join(corpus, 'sender.jsonl')) as table:
        for line in table:
            expected = json.loads(line)
            case = dict((f, expected[f]) for f in
                        ('from', 'envelope_from', 'reply_to', 'sender'))
            found = judge.judge(str(expected['list']), case, prefix)
            total += 1
            if any(found[f] != expected[f] for f in COMPARED):
                differences += 1
                print('differs:', expected, [found[f] for f in COMPARED])
    print('%s: %d cases, %d differ' % (corpus, total, differences))
    sys.stdout.flush()
    return differences


def in_child(corpus, prefix):
    """Replays in a process of its own: mm_cfg is read once per process."""
    child = os.fork()
    if child == 0:
        with open(os.path.join(corpus, 'mm_cfg.py')) as settings:
            mailman_site.configure(prefix, settings.read())
        mailman_site.use_lists(prefix, os.path.join(corpus, 'lists'))
        mailman_site.start(prefix)
        os._exit(1 if replay(corpus, prefix) else 0)
    return os.waitpid(child, 0)[1]


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    source, prefix = arguments[0], os.path.abspath(arguments[1])
    mailman_site.install(source, prefix)
    if any([in_child(os.path.abspath(c), prefix) for c in arguments[2:]]):
        sys.exit(1)


if __name__ == '__main__':
    main(sys.argv[1:])
