#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Judges the cases of a corpus anew and compares.

    replay.py MAILMAN_SOURCE SCRATCH [--shuffle SEED] CORPUS_DIR...

Whole messages (post.jsonl) too, where the corpus has some. With --shuffle in
another order, which must change nothing. Exit status 1 if a verdict, handler,
reason or notice differs.
"""

from __future__ import print_function

import json
import os
import random
import sys

import mailman_site

COMPARED = ('verdict', 'reason', 'notice')
SENDER_INPUTS = ('from', 'envelope_from', 'reply_to', 'sender')
POST_INPUTS = ('message', 'envelope_from', 'dmarc_policy')


def rows(corpus, table, seed):
    path = os.path.join(corpus, table)
    if not os.path.exists(path):
        return []
    with open(path) as source:
        found = [json.loads(line) for line in source]
    if seed is not None:
        random.Random(seed).shuffle(found)
    return found


def judges(corpus, prefix):
    """For each table: its inputs, what is compared, who judges."""
    import judge
    yield ('sender.jsonl', SENDER_INPUTS, COMPARED,
           lambda name, case: judge.judge(name, case, prefix))
    if not os.path.exists(os.path.join(corpus, 'post.jsonl')):
        return
    import judge_post
    messages = os.path.join(corpus, 'messages')
    yield ('post.jsonl', POST_INPUTS, COMPARED + ('handler',),
           lambda name, case: judge_post.judge_post(name, case, messages, prefix))


def replay(corpus, prefix, seed):
    """Prints each difference and the totals; returns the differences' number."""
    all_differences = 0
    for table, inputs, compared, judged in judges(corpus, prefix):
        cases = rows(corpus, table, seed)
        differences = 0
        for expected in cases:
            found = judged(str(expected['list']), dict((f, expected[f]) for f in inputs))
            if any(found[f] != expected[f] for f in compared):
                differences += 1
                print('differs:', expected, [found[f] for f in compared])
        if cases:
            print('%s/%s: %d cases, %d differ'
                  % (corpus, table, len(cases), differences))
        sys.stdout.flush()
        all_differences += differences
    return all_differences


def in_child(corpus, prefix, seed):
    """Replays in a process of its own: mm_cfg is read once per process."""
    child = os.fork()
    if child == 0:
        with open(os.path.join(corpus, 'mm_cfg.py')) as settings:
            mailman_site.configure(prefix, settings.read())
        mailman_site.use_lists(prefix, os.path.join(corpus, 'lists'))
        mailman_site.start(prefix)
        os._exit(1 if replay(corpus, prefix, seed) else 0)
    return os.waitpid(child, 0)[1]


def main(arguments):
    seed = None
    if '--shuffle' in arguments:
        at = arguments.index('--shuffle')
        seed = int(arguments[at + 1])
        del arguments[at:at + 2]
    if len(arguments) < 3:
        sys.exit(__doc__)
    source, prefix = arguments[0], os.path.abspath(arguments[1])
    mailman_site.install(source, prefix)
    if any([in_child(os.path.abspath(c), prefix, seed) for c in arguments[2:]]):
        sys.exit(1)


if __name__ == '__main__':
    main(sys.argv[1:])
