#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Makes a corpus: random lists saved by a real Mailman, and its verdicts.

    make_corpus.py MAILMAN_SOURCE SCRATCH VECTORS_DIR OUT_DIR
                   [--seed N] [--lists N] [--cases N] [--mm-cfg FILE] [--posts [--messages DIR]]
                   [--subscriptions]

README.md says what OUT_DIR then holds. Python 2.7 for Mailman 2.1, Python 3
for the port. With --posts whole messages (Mailman 2.1 only) in place of senders,
with --subscriptions addresses that want to subscribe.
"""

from __future__ import print_function

import argparse
import json
import os
import random
import shutil
import signal
import sys

import mailman_site
import vocabulary as v

# A regular expression that runs longer than this gives no verdict.
SECONDS_PER_CASE = 5
POLICIES = ['accept_these_nonmembers', 'hold_these_nonmembers',
            'reject_these_nonmembers', 'discard_these_nonmembers']
DELETABLE = POLICIES + ['generic_nonmember_action', 'member_moderation_action',
                        'member_moderation_notice', 'nonmember_rejection_notice',
                        'equivalent_domains', 'forward_auto_discards',
                        'digest_members', 'user_options', 'members']
ENDINGS = ['', '-l', 's', '-owner', '.x', '+y', '_z', '-bounces', '=q']


def list_names(r, count):
    stems = ['team', 'announce', 'dev', 'a.b-', 'c++', 'q_', 'x-', 'demo', '1st']
    return ['%s%02d%s' % (r.choice(stems), i, r.choice(ENDINGS)) for i in range(count)]


def subscribe(r, mlist, address):
    """A member written straight into the tables; odd values now and then."""
    key = address.lower()
    table = mlist.digest_members if r.random() < 0.2 else mlist.members
    table[key] = 0 if key == address else address
    if r.random() < 0.04:
        table[key] = r.choice(v.ODD_MEMBER_VALUES)
    if r.random() < 0.75:
        mlist.user_options[key] = r.choice([0, 256, 128, 384])
    if r.random() < 0.06:
        mlist.user_options[key] = r.choice(v.ODD_OPTIONS)
    if r.random() < 0.03:
        table[address] = 0
    if v.PYTHON2 and r.random() < 0.03:
        table[key.decode('latin-1')] = 0
    if r.random() < 0.1:
        from Mailman.Bouncer import _BounceInfo
        mlist.bounce_info[key] = _BounceInfo(key, 1.0, (2021, 5, 4), 3)


def set_policy(r, mlist, pool, names, vectors):
    for setting in POLICIES:
        setattr(mlist, setting, v.entries(r, pool, names, vectors))
    mlist.generic_nonmember_action = r.choice([0, 1, 2, 2, 2, 2, 3, 4])
    mlist.member_moderation_action = r.choice([0, 1, 1, 1, 2])
    if r.random() < 0.10:
        mlist.generic_nonmember_action = r.choice(v.ODD_ACTIONS)
    if r.random() < 0.10:
        mlist.member_moderation_action = r.choice(v.ODD_ACTIONS)
    mlist.nonmember_rejection_notice = v.notice(r)
    mlist.member_moderation_notice = v.notice(r)
    mlist.equivalent_domains = v.native(r.choice(v.EQUIVALENTS))
    if r.random() < 0.04:
        mlist.equivalent_domains = r.choice([None, 0, [], ['x'], 5, u'example.org,example.com'])
    mlist.forward_auto_discards = r.choice([0, 0, 1])
    mlist.respond_to_post_requests = r.choice([True, 0])
    mlist.preferred_language = r.choice(['en', 'en', 'en', 'de', 'fr', 'ja', 'ru'])
    mlist.available_languages = ['en', mlist.preferred_language]


def make_list(r, name, names, vectors, more=None):
    """Creates and saves one list; returns the addresses that matter to it, its
    host and what `more`, which may set further settings, returned."""
    from Mailman.MailList import MailList
    mlist = MailList()
    mlist.Create(name, 'admin@example.org', '6' * 40, emailhost=r.choice(v.HOSTS))
    try:
        pool = [v.address(r) for _ in range(12)]
        for address in pool[:r.choice([0, 1, 3, 6])]:
            subscribe(r, mlist, address)
        set_policy(r, mlist, pool, names, vectors)
        added = more(r, mlist, pool, names, vectors) if more else None
        if r.random() < 0.06:
            mlist.__dict__.pop(r.choice(DELETABLE), None)
        mlist.Save()
        return pool, mlist.host_name, added
    finally:
        mlist.Unlock()


def make_case(r, pool, vectors):
    moved = v.moved(r, r.choice(pool[:6]))
    pool = pool + [v.address(r), moved, moved, moved]
    case = {'from': v.header(r, pool, vectors), 'envelope_from': v.envelope(r, pool),
            'reply_to': None, 'sender': None}
    if r.random() < 0.3:
        case['reply_to'] = v.header(r, pool, vectors)
    if r.random() < 0.3:
        case['sender'] = v.header(r, pool, vectors)
    return case


class SenderCases(object):
    """Lists for the Moderate handler, and senders."""

    tables, more = ('sender.jsonl',), None

    def __init__(self, options):
        self.vectors = v.Vectors(options.vectors)

    def cases(self, r, name, made, count):
        """(table, case) pairs, as many as asked for."""
        return [('sender.jsonl', make_case(r, made[0], self.vectors))
                for _ in range(count)]

    def judges(self):
        import judge
        return {'sender.jsonl': (judge.judge, judge.unrepeatable)}


class SubscribeCases(SenderCases):
    """Lists with bans and policies, and addresses that want to subscribe."""

    tables = ('subscribe.jsonl',)

    @staticmethod
    def more(r, mlist, pool, names, vectors):
        mlist.subscribe_policy = r.choice([0, 0, 0, 1, 2, 2, 3])
        if r.random() < 0.08:
            mlist.subscribe_policy = r.choice(v.ODD_ACTIONS)
        for setting in ('ban_list', 'subscribe_auto_approval'):
            setattr(mlist, setting, v.entries(r, pool, names, vectors))
        if r.random() < 0.1:
            mlist.digestable, mlist.nondigestable = r.choice([(0, 1), (1, 0), (0, 0)])
        if r.random() < 0.06:
            mlist.__dict__.pop(r.choice(v.SUBSCRIBE_SETTINGS), None)

    def cases(self, r, name, made, count):
        pool, host = made[:2]
        return [('subscribe.jsonl', {'address': v.subscriber(r, pool, name, host)})
                for _ in range(count)]

    def judges(self):
        import judge_subscribe
        return {'subscribe.jsonl': (judge_subscribe.judge_subscribe, lambda *_: False)}


class PostCases(SenderCases):
    """Lists for every deciding handler, whole messages in files, and a sender
    for every fifth message."""

    tables = ('sender.jsonl', 'post.jsonl')

    def __init__(self, options):
        import post_lists
        self.vectors = post_lists.PostVectors(options.vectors)
        self.more = post_lists.set_post_settings
        self.messages = os.path.join(options.out, 'messages')
        self.count = 0
        self.for_senders = random.Random(options.seed + 1)
        self.real = sorted(os.path.join(folder, name)
                           for folder, _, names in os.walk(options.messages or '')
                           for name in names)

    def cases(self, r, name, made, count):
        import post_messages
        pool, host, settings = made
        writer = post_messages.Writer(r, name, host, pool, settings, self.vectors)
        return ([('post.jsonl', self.post(r, pool, self.text(r, writer))) for _ in range(count)]
                + SenderCases.cases(self, self.for_senders, name, made, count // 5))

    def text(self, r, writer):
        if not self.real:
            return writer.post()
        with open(r.choice(self.real), 'rb') as source:
            return writer.adapted(source.read())

    def post(self, r, pool, text):
        self.count += 1
        name = '%05d.eml' % self.count
        with open(os.path.join(self.messages, name), 'wb') as target:
            target.write(text)
        return {'message': name, 'envelope_from': v.envelope(r, pool),
                'dmarc_policy': r.choice([None, 'none', 'quarantine', 'reject'])}

    def judges(self):
        import judge_post

        def judged(name, case, prefix):
            return judge_post.judge_post(name, case, self.messages, prefix)
        return dict(SenderCases.judges(self),
                    **{'post.jsonl': (judged, judge_post.unrepeatable)})


def build(options, prefix, kind):
    """Lists into SCRATCH and OUT_DIR, the unjudged cases into SCRATCH."""
    r = random.Random(options.seed)
    names = list_names(r, options.lists)
    cases = []
    with open(os.path.join(options.out, 'domains.jsonl'), 'w') as domains:
        for name in names:
            made = make_list(r, name, names, kind.vectors, kind.more)
            domains.write(json.dumps({'domain': made[1], 'list': name}) + '\n')
            cases += [(table, name, case) for table, case
                      in kind.cases(r, name, made, options.cases)]
            target = os.path.join(options.out, 'lists', name)
            os.makedirs(target)
            shutil.copy(os.path.join(prefix, 'lists', name, 'config.pck'), target)
    with open(os.path.join(prefix, 'cases.json'), 'w') as unjudged:
        json.dump(cases, unjudged)


def append(options, table, judged):
    with open(os.path.join(options.out, table), 'a') as target:
        target.write(json.dumps(judged, sort_keys=True) + '\n')


def judge_from(start, options, prefix, kind):
    """Judges the cases from number `start` on, noting each before it runs."""
    import judge
    judges = kind.judges()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with open(os.path.join(prefix, 'cases.json')) as unjudged:
        cases = json.load(unjudged)
    for number in range(start, len(cases)):
        table, name, case = cases[number]
        judge_one, unrepeatable = judges[table]
        with open(os.path.join(prefix, 'at'), 'w') as at:
            at.write(str(number))
        signal.alarm(SECONDS_PER_CASE)
        try:
            judged = judge_one(str(name), case, prefix)
        except judge.Unspeakable:
            continue
        finally:
            signal.alarm(0)
        doubtful = (judged.get('verdict') == judge.UNMAILED
                    or unrepeatable(judged, prefix))
        append(options, 'aside.jsonl' if doubtful else table, judged)


def in_child(work, prefix, settings):
    """Runs `work` in a process of its own; returns its wait status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        mailman_site.configure(prefix, settings)
        mailman_site.start(prefix)
        work()
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def judge_all(options, prefix, settings, kind):
    start = timed_out = 0
    while True:
        status = in_child(lambda: judge_from(start, options, prefix, kind), prefix, settings)
        if status == 0:
            return timed_out
        if status != signal.SIGALRM:
            sys.exit('judging ended with status %d' % status)
        timed_out += 1
        with open(os.path.join(prefix, 'at')) as at:
            start = int(at.read()) + 1
        for lock in os.listdir(os.path.join(prefix, 'locks')):
            os.remove(os.path.join(prefix, 'locks', lock))


def read_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ('source', 'scratch', 'vectors', 'out'):
        parser.add_argument(name)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--lists', type=int, default=40)
    parser.add_argument('--cases', type=int, default=100, help='per list')
    parser.add_argument('--mm-cfg', default=None, help='settings in force')
    parser.add_argument('--posts', action='store_true', help='whole messages')
    parser.add_argument('--subscriptions', action='store_true')
    parser.add_argument('--messages', default=None,
                        help='with --posts: a folder of messages, in place of random ones')
    return parser.parse_args(arguments)


def main(arguments):
    options = read_options(arguments)
    options.out = os.path.abspath(options.out)
    options.vectors = os.path.abspath(options.vectors)
    prefix = os.path.abspath(options.scratch)
    settings = 'from Defaults import *\n'
    if options.mm_cfg:
        with open(options.mm_cfg) as source:
            settings = source.read()
    mailman_site.install(options.source, prefix)
    shutil.rmtree(os.path.join(prefix, 'lists'), True)
    os.makedirs(os.path.join(prefix, 'lists'))
    os.makedirs(os.path.join(options.out, 'messages') if options.posts else options.out)
    kinds = ((options.posts, PostCases), (options.subscriptions, SubscribeCases))
    kind = next((made for wanted, made in kinds if wanted), SenderCases)(options)
    with open(os.path.join(options.out, 'mm_cfg.py'), 'w') as target:
        target.write(settings)
    if in_child(lambda: build(options, prefix, kind), prefix, settings) != 0:
        sys.exit('the lists could not be made')
    timed_out = judge_all(options, prefix, settings, kind)
    for name in kind.tables:
        with open(os.path.join(options.out, name)) as table:
            print('%s/%s: %d cases' % (options.out, name, sum(1 for _ in table)))
    print('%d ran out of time' % timed_out)


if __name__ == '__main__':
    main(sys.argv[1:])
