# -*- coding: utf-8 -*-
"""What random lists and random messages are made of.

Texts are native strings: byte strings under Python 2, text under Python 3.
Every function takes the random generator `r`, so that a seed gives one corpus.
"""

import json
import os
import sys

PYTHON2 = sys.version_info[0] == 2
if not PYTHON2:
    long = int

LOCALS = ['alice', 'bob.smith', 'Carol.Jones', 'dave+lists', "o'brien", 'x',
          'heidi.m', 'EVE', 'frank_o', 'jos\xc3\xa9', 'a.b.c', '=weird=',
          'list-owner', 'mailer-daemon', 'postmaster', 'no-reply', '12345',
          'judy%host', 'b\xf6rge', '"quoted name"', 'aaaaaaaaaaaaaaaaaaaa', '']
DOMAINS = ['example.org', 'Example.COM', 'example.net', 'mail.example.net',
           'sub.example.org', 'students.example.edu', 'dept.example.edu',
           'evil.example', 'spam.example', 'b\xc3\xbccher.example', 'localhost',
           '[192.0.2.1]', 'EXAMPLE.ORG', 'xn--bcher-kva.example', 'example.org.']
HOSTS = ['lists.example.org', 'lists.example.com', 'Lists.Example.NET']

PATTERNS = [
    '^.*@example\\.org$', '^[^@]+@(.*\\.)?example\\.net$', '^.*', '^', '^$', '^\\s*$',
    '^alice@', '^ALICE', '^(?i)EVE@', '^(?x) a l i c e @', '^.*\\.edu\\Z',
    '^.+@.+@', '^(\\w+)\\.\\1', '^(?P<l>\\w)(?P=l)+', '^(?!bob).*@spam', '^.*(?<=org)$',
    '^(?(1)a|b)', '^(a)?(?(1)lice|ob)', '^[[:alpha:]]+@', '^.*@(unclosed', '^*',
    '^.*[', '^\\p{L}+', '^\\N', '^a{,3}', '^a{3,1}', '^.{3,5}@', '^a++', '^(?>a)',
    '^(?L)\\w+', '^(?u)jos', '^jos\xc3\xa9@', '^.*\xf6', '^\\x61lice', '^\\141',
    '^\\08', '^(?#note)x@', '^.*@EXAMPLE', '^mailer-daemon$', '^[A-Z]+@', '^[z-a]',
    '^\\w+\\@\\w+', '^.*@example.org\n', '^alice@ ', '^(?=.*@evil).*', '^\\bx\\b',
    '^(?s).*', '^(?m)$', '^(|a|b)+$', '^\\D+$', '^"', "^o'b", '^\\', '^(?P<1>a)',
    '^(?P<n>a)(?P<n>b)', '^\\1', '^(?<n>a)', '^(?i-s:a)', '^(?iL)A', '^[^\\W\\d_]+@']
# Exceptions that Mailman does not catch; rare, since they hide all else.
FATAL_PATTERNS = ['^a{99999999999}', '^' + '(a)' * 101, '^(?P<n>' * 3 + ')' * 3,
                  '^' + '(' * 1500 + ')' * 1500]

EQUIVALENTS = [
    '', 'example.org, example.com', 'example.org', 'a,b;;,',
    'mail.example.net,EXAMPLE.NET ; students.example.edu,dept.example.edu;',
    'example.org,example.net;example.org,evil.example', ' \n\texample.org ,\x0bspam.example',
    'example.org,example.org,example.com', ',example.org;', ';,;,', 'example.org,',
    'b\xc3\xbccher.example,xn--bcher-kva.example', 'example.org;example.com',
    'EXAMPLE.ORG.,example.org', '@example.org,example.com', 'example.org example.com',
    'localhost,[192.0.2.1],']

NOTICE_TOKENS = [
    '%%', '%(listowner)s', '%(listowner)s', '100% sure', '50%d', '50%', '%(nosuch)s',
    '%(listowner)d', '%(listowner)r', '%(listowner)40s|', '%(listowner)-40s|',
    '%(listowner).5s', '%()s', '%(a(b)c)s', '%(listowner', '%s', '%z', '%c', '%5%',
    '%(listowner)c', '%(x)i', '%(x)x', '%*d', '%(x)*d', '%(x)ls', '% %', '%(sender)s',
    '%%(listowner)s', '%%%(listowner)s', '%(nosuch)r', '%(nosuch)5s', '%#s', '%(x)hs',
    '%(LISTOWNER)s', '%( listowner)s', '100 %', '%\n', '%(listowner)%', '%(x)%', '%(__name__)s',
    '%(x)f', '%(x)e', '%d', '%f', '%.3', '%(x).*f', '%(x)', '%i', '%u', '%(x)+s', '%x',
    '%(x)\xc3\xa9s', '%(\xc3\xa9)s', '%L', '%(listowner)S']
WORDS = ['a', 'I', 'to', 'list', 'members', 'only', 'Please', 'subscribe,', 'or',
         'write', 'https://lists.example.org/mailman/listinfo/' + 'x' * 40, 'w' * 75,
         'w' * 70, 'w' * 69, 'caf\xc3\xa9', '\xe9t\xe9', '-', 'moderation']
SEPARATORS = [' '] * 20 + ['\n'] * 3 + ['\n\n', '\n\n\n', '  ', '\t', '\n  ', '\n\t',
                                        ' \n', '\r\n', '\x0b', '\x0c', '\xa0', '\n * ']
NOTICES = ['', '', 'Go away, stranger. Ask %(listowner)s.', 'caf\xc3\xa9 only',
           'Only members may post.\n\nSee the list page.\n', '\n', ' ', '\n\n\n', 'x',
           'Ask %(listowner)s.\n\n\n\nThen wait.\n\n', '550 5.7.1 No']

ODD_ACTIONS = [-1, 5, 99, 2.0, 1.0, 2.5, True, False, None, '2', '', '0', 'x', [], {},
               (), long(2), long(0), float('nan'), 1 << 70, 0.5, u'2', 4.0, 3.0]
ODD_OPTIONS = [128, long(128), 384, -1, True, 127, 0, 1 << 40, 128.0, None, '128', [],
               long(1) << 70 | 128]
ODD_MEMBER_VALUES = [1, None, True, '', 'Someone@Else.example', 0.0, [], u'X@y']


def native(text):
    """A Latin-1 spelt byte string as this Python's Mailman would hold it."""
    if PYTHON2:
        return text if isinstance(text, str) else text.encode('latin-1')
    try:
        return text.encode('latin-1').decode('utf-8')
    except UnicodeDecodeError:
        return text


class Vectors(object):
    """Python's own answers, as material: patterns, subjects, header values."""

    def __init__(self, folder):
        self.patterns, self.subjects = [], []
        with open(os.path.join(folder, 'regex-bytes.jsonl')) as table:
            self.subjects = json.loads(next(table))['subjects']
            for line in table:
                entry = json.loads(line)
                timed_out = any(m not in (0, 1) for m in entry['matches'] or [])
                if not timed_out:
                    self.patterns.append(entry['pattern'])
        with open(os.path.join(folder, 'addresses.jsonl')) as table:
            self.values = [json.loads(line)['value'] for line in table]


def latin(text):
    """Native text back as Latin-1 spelt bytes, for the tables."""
    if PYTHON2:
        return text.decode('latin-1')
    try:
        return text.encode('utf-8').decode('latin-1')
    except UnicodeEncodeError:
        return text


def raw(text):
    """A Latin-1 spelt literal of this file as the tables hold it."""
    return text.decode('latin-1') if isinstance(text, bytes) else text


def address(r):
    return native('%s@%s' % (r.choice(LOCALS), r.choice(DOMAINS)))


def moved(r, known):
    """A known local part at another domain."""
    return known.rpartition('@')[0] + '@' + native(r.choice(DOMAINS))


def changed_case(r, text):
    return r.choice([text, text, text, text.upper(), text.lower(), text.title()])


def literal(r, pool):
    entry = changed_case(r, r.choice(pool))
    return r.choice(['%s', '%s', '%s', ' %s', '%s ', '\t%s\n', '%s\n', '%s.', '<%s>']) % entry


def list_reference(r, names):
    name = changed_case(r, r.choice(names))
    return r.choice(['@%s', '@%s', '@%s ', '@ %s', ' @%s', '@@%s', '@%s@lists.example.org',
                     '@nosuch-%s', '@%s\n', '@../%s', '@']).replace('%s', name)


def pattern(r, vectors):
    text = r.choice(PATTERNS) if r.random() < 0.5 else r.choice(vectors.patterns)
    text = native(text)
    return text if text.startswith('^') else '^' + text


def entry(r, pool, names, vectors):
    """One line of a *_these_nonmembers setting."""
    kind = r.random()
    if kind < 0.40:
        found = literal(r, pool)
    elif kind < 0.80:
        found = pattern(r, vectors)
    elif kind < 0.92:
        found = list_reference(r, names)
    elif kind < 0.97:
        found = r.choice(['', '   ', '\n', ' ^alice', '*@example.org', '# note', 'example.org',
                          '@', ' ', '\t^.*', 'a@b, c@d'])
    else:
        found = native(r.choice(FATAL_PATTERNS)) if r.random() < 0.3 else literal(r, pool)
    if PYTHON2 and r.random() < 0.08:
        found = found.decode('latin-1')
    return found


def entries(r, pool, names, vectors):
    """The value of one *_these_nonmembers setting."""
    if r.random() < 0.03:
        return r.choice([None, '', 'x', ('x@example.org', '^alice'), 0, [None], [5, 'a'],
                         {'^alice': 1}, ['ok@example.org', []], u'^', '^', '@'])
    count = r.choice([0, 0, 1, 1, 2, 3, 4, 6])
    return [entry(r, pool, names, vectors) for _ in range(count)]


def random_text(r):
    """Words and line ends; in every second text a few % sequences too."""
    pieces = []
    for _ in range(r.choice([1, 2, 5, 20, 60])):
        pieces += [r.choice(WORDS), r.choice(SEPARATORS)]
    if r.random() < 0.5:
        for _ in range(r.choice([1, 1, 2, 3])):
            pieces.insert(r.randrange(len(pieces) + 1), r.choice(NOTICE_TOKENS))
    return ''.join(pieces)


def notice(r):
    kind = r.random()
    if kind < 0.97:
        found = native(r.choice(NOTICES) if kind < 0.3 else random_text(r))
        return found.decode('latin-1') if PYTHON2 and r.random() < 0.04 else found
    return r.choice([None, 0, 5, [], ['x'], u'plain', u'caf\xe9 %(listowner)s', ()])


SHAPES = ['%s'] * 12 + [
    'Some One <%s>', '"One, Some" <%s>', '%s (Some One)', '<%s>', 'Some One\n <%s>',
    'Some\n\tOne <%s>', '"Some\n One" <%s>', 'other@evil.example, %s', '%s, other@evil.example',
    '=?utf-8?q?Some?= <%s>', 'undisclosed: %s;', 'group:;, %s', ',%s', '%s,', '<%s', '%s>',
    'Some One %s', '%s <other@spam.example>', '"%s" <other@spam.example>', '(%s) x@spam.example',
    'Jos\xe9 <%s>', 'J\xc3\xb6rg <%s>', '<@relay.example:%s>', '%s;', '"unclosed <%s>',
    '<<%s>>', '%s %s', 'a\\"b <%s>', '(nested (comment) %s', '%s\t', 'mailto:%s', '"" <%s>',
    ' \n %s', '%s\n ', '%s\x00', '%s (a) (b)', "'%s'", '<mailto:%s>', '.%s', '[%s]', '%s\r\n (x)']


ODD_ENVELOPES = ['<>', 'MAILER-DAEMON', '"a b"@example.org', '@example.org', 'alice@',
                 'a@b@c', 'alice', 'alice@example.org\tx', '<alice@example.org>',
                 '\xe9@example.org', "''", 'alice@example.org,bob@example.org']


SUBSCRIBE_SETTINGS = ['ban_list', 'subscribe_policy', 'subscribe_auto_approval', 'digestable',
                      'nondigestable', 'members', 'digest_members', 'host_name']
ODD_SUBSCRIBERS = [
    '', ' ', 'a', '@', 'a@', '@b.c', 'a@b', 'a@b.', 'a@.b', 'a@b..c', 'a@-b.c', 'a@b-.c', 'a@b.-c',
    'a@b_c.d', 'a@b.c.', 'a b@c.d', 'a@b c.d', 'a,b@c.d', 'a;b@c.d', 'a:b@c.d', '"a"@b.c', 'a\\b@c.d',
    '<a@b.c>', 'a@b.c>', 'a(b)@c.d', 'a@[1.2.3.4]', 'a@1.2', 'a@b@c.d', 'a|b@c.d', 'a^b@c.d',
    'a\x00b@c.d', 'a@b.c\n', '\ta@b.c', 'a\x7f@b.c', '\xe9@b.c', 'a@\xe9.c', '-a@b.c', '--json@b.c',
    '\xc4\x80@b.c', 'a@\xc4\x80.c', 'a@\xc5\xbf.c', 'a@b.\xe2\x84\xaa', 'a@\xc4\xb0.c', 'a@\xc4\xb1.c',
    '\xe2\x82\xac@b.c', "a'!#$%&*+/=?`{}~@b.c", 'A' * 300 + '@b.c', 'a@' + 'b.' * 60 + 'c']


def subscriber(r, pool, listname, host):
    """An address as somebody types it, Latin-1 code points."""
    kind = r.random()
    if kind < 0.12:
        return raw(r.choice(ODD_SUBSCRIBERS))
    if kind < 0.18:
        return latin(changed_case(r, native('%s@%s' % (listname, host))))
    known = r.choice(pool) if kind < 0.75 else address(r)
    if kind > 0.9:
        known = moved(r, known)
    return latin(changed_case(r, known))


def header(r, pool, vectors):
    """A header's value, or None: the header is absent."""
    kind = r.random()
    if kind < 0.08:
        return None
    if kind < 0.11:
        return r.choice(['', ' ', '<>', ',', '()', ';', '"', '<', '@', 'x', '\t'])
    if kind < 0.20:
        return raw(r.choice(vectors.values))
    if kind < 0.25:
        return raw(r.choice(vectors.subjects))
    shape = raw(r.choice(SHAPES))
    value = latin(changed_case(r, r.choice(pool)))
    return shape.replace('%s', value)


def envelope(r, pool):
    kind = r.random()
    if kind < 0.12:
        return None
    if kind < 0.20:
        return ''
    if kind < 0.26:
        return raw(r.choice(ODD_ENVELOPES))
    return latin(changed_case(r, r.choice(pool)))
