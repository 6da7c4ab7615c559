#!/usr/bin/env python3
"""Copies a part of a corpus: some lists, the lists they name, their cases.

    slice.py CORPUS OUT_DIR [--lists N] [--cases N] [--seed N]
             [--posts N] [--largest BYTES]

Only lists that name at most one other list are taken, so that the part stays
small and closed. Where OUT_DIR already has lists, whole messages to them are
added. Prove the result with replay.py: it must show no difference.
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


def kind_of(post):
    """What the chosen posts of a list should differ in."""
    reason = post['reason'] or ''
    words = reason if post['verdict'] == 'shunt' else re.sub(r'[0-9]+|: .*', '', reason)
    return post['verdict'], post['handler'], words, post['notice'] is None


def choose_posts(posts, wanted):
    """The rarest kinds first, then the second of each kind, and so on."""
    by_kind = {}
    for post in posts:
        by_kind.setdefault(kind_of(post), []).append(post)
    kinds = sorted(by_kind.values(), key=len)
    depth = max(map(len, kinds), default=0)
    rounds = [kind[n] for n in range(depth) for kind in kinds if n < len(kind)]
    return sorted(rounds[:wanted], key=lambda post: post['message'])


def copy_posts(corpus, out, chosen, wanted, largest):
    """Up to `wanted` messages to each list, none over `largest` bytes."""
    messages = os.path.join(corpus, 'messages')
    with open(os.path.join(corpus, 'post.jsonl')) as source:
        posts = [json.loads(line) for line in source]
    small = [post for post in posts if os.path.getsize(
        os.path.join(messages, post['message'])) <= largest]
    os.makedirs(os.path.join(out, 'messages'), exist_ok=True)
    with open(os.path.join(out, 'post.jsonl'), 'w') as target:
        for name in sorted(chosen):
            for post in choose_posts([p for p in small if p['list'] == name], wanted):
                shutil.copyfile(os.path.join(messages, post['message']),
                                os.path.join(out, 'messages', post['message']))
                target.write(json.dumps(post, sort_keys=True) + '\n')


def has(corpus, table):
    return os.path.exists(os.path.join(corpus, table))


def copy_new(options, chosen):
    """Lists, settings and the tables of addresses into an empty OUT_DIR."""
    for name in chosen:
        shutil.copytree(os.path.join(options.corpus, 'lists', name),
                        os.path.join(options.out, 'lists', name))
    shutil.copy(os.path.join(options.corpus, 'mm_cfg.py'), options.out)
    for table in ('sender.jsonl', 'subscribe.jsonl'):
        if has(options.corpus, table):
            copy_table(options.corpus, options.out, table, chosen, options.cases)
    if has(options.corpus, 'domains.jsonl'):
        copy_table(options.corpus, options.out, 'domains.jsonl', chosen)


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('corpus')
    parser.add_argument('out')
    parser.add_argument('--lists', type=int, default=6)
    parser.add_argument('--cases', type=int, default=None, help='per list')
    parser.add_argument('--posts', type=int, default=12, help='messages per list')
    parser.add_argument('--largest', type=int, default=2000, help='bytes of a message')
    parser.add_argument('--seed', type=int, default=1)
    return parser.parse_args()


def main():
    options = read_options()
    present = os.path.join(options.out, 'lists')
    if os.path.isdir(present):
        chosen = set(os.listdir(present))
    else:
        chosen = choose(options.corpus, options.lists, random.Random(options.seed))
        copy_new(options, chosen)
    if has(options.corpus, 'post.jsonl'):
        copy_posts(options.corpus, options.out, chosen, options.posts, options.largest)


if __name__ == '__main__':
    main()
