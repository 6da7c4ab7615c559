#!/usr/bin/env python3
"""Copies a part of a corpus: some lists, the lists they name, their cases.

    slice.py CORPUS OUT_DIR [--lists N] [--cases N] [--seed N]

Only lists that name at most one other list are taken, so that the part stays
small and closed. Prove the result with replay.py: it must show no difference.
"""

import argparse
import json
import os
import random
import re
import shutil


def named_lists(corpus, name, names):
    """Lists of the corpus that this list's file names with `@`."""
    with open(os.path.join(corpus, 'lists', name, 'config.pck'), 'rb') as source:
        data = source.read().lower()
    return {other for other in names
            if re.search(rb'@\s*' + re.escape(other.encode()), data)}


def choose(corpus, wanted, r):
    """At least `wanted` lists, closed under naming."""
    names = sorted(os.listdir(os.path.join(corpus, 'lists')))
    chosen = set()
    for name in r.sample(names, len(names)):
        if len(chosen) >= wanted:
            break
        others = named_lists(corpus, name, names) - {name}
        if len(others) <= 1 and all(not named_lists(corpus, o, names) - {o, name}
                                    for o in others):
            chosen |= {name} | others
    return chosen


def copy_table(corpus, out, table, chosen, limit=None):
    taken = dict.fromkeys(chosen, 0)
    with open(os.path.join(corpus, table)) as source, \
            open(os.path.join(out, table), 'w') as target:
        for line in source:
            name = json.loads(line)['list']
            if name in chosen and (limit is None or taken[name] < limit):
                taken[name] += 1
                target.write(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('corpus')
    parser.add_argument('out')
    parser.add_argument('--lists', type=int, default=6)
    parser.add_argument('--cases', type=int, default=None, help='per list')
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    chosen = choose(options.corpus, options.lists, random.Random(options.seed))
    for name in chosen:
        shutil.copytree(os.path.join(options.corpus, 'lists', name),
                        os.path.join(options.out, 'lists', name))
    shutil.copy(os.path.join(options.corpus, 'mm_cfg.py'), options.out)
    copy_table(options.corpus, options.out, 'sender.jsonl', chosen, options.cases)
    if os.path.exists(os.path.join(options.corpus, 'domains.jsonl')):
        copy_table(options.corpus, options.out, 'domains.jsonl', chosen)


if __name__ == '__main__':
    main()
