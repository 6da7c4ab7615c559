# -*- coding: utf-8 -*-
"""Random values of the settings that the handlers of whole messages read.

Most lists get only a few of them, so that every handler is reached.
"""

import crypt
import hashlib
import json
import os

import vocabulary as v

PASSWORDS = ['secret', 'Secret', 'pa ss', 'p:w', 'caf\xc3\xa9', 'x', 'a<b>c',
             'se\xa0cret', 'a.b*c', '12345', 'tab\tbed', '&nbsp;', 'long' * 20]
HEADER_PATTERNS = [
    '^subject:.*viagra', '^Subject: .*\\bFREE\\b', '^x-spam-flag: yes', '^from:.*@evil\\.example',
    '^(to|cc):.*undisclosed', '^content-type:.*html', '^content-disposition:.*\\.(exe|zip)',
    'name=.*\\.exe', '^received:.*\\[192\\.0\\.2\\.', '^date: .*[0-9]{4}', '^x-mailer:',
    '^list-id:', '^message-id: <.*@localhost>$', '^subject: \\w+$', '^subject:\\s*$',
    'caf\xc3\xa9', '^subject:.*\xe9', '&#233;t&#233;', 'caf\\u00e9', '&#8364;', '\\u4f60\\u597d',
    '&#1114112;', '&#x41;', '&#55357;', '^subject: .*(?=.*now)', 'fi', '^subject:.*\\d',
    '\\w+@\\w+', '^subject: [^a-z]*$', '^Subject: \xc2\xbd', '(?i)FREE', '(?L)free',
    '^[^:]+: [\\s\\S]*zzz', '\\u0130stanbul', '^subject:.*\xa0', '\\bmoney\\b.*\n',
    '^$', '^\\S+:.*$', '(?s)^subject:.*from:', '(?x)^ subject: .* offer', 'SS', 'stra\xc3\x9fe',
    '^subject:.*=\\?', '\\ufffd', '&#65533;', 'X-BeenThere', '^mime-version: 1', '^subject: a  b',
    'boundary', '(\\w)\\1\\1', '^(?!subject|from|to|date|message-id)', '[\\u0400-\\u04ff]{3}']
INVALID = ['[', '(', '*', '(?P<n>a)(?P<n>b)', 'a{3,1}', '(?<=a*)b', '\\', '(?z)', 'a++', '[z-a]',
           ')', '(?P<1>a)', '\\08', '(?(9)a|b)']
FATAL = ['a{99999999999}', '(a)' * 101, '&#4294967296;', '&#2147483648;', '&#99999999999999999999;']
LINE_ENDS = ['\n'] * 6 + ['\r\n', '\r', '\x0c', '\x1c', '\x85', '\n\n', '\n \n',
                            '\n# note\n', '\n #x\n']
RULE_ACTIONS = [2, 3, 7, 6, 0, 2, 3, 7, 6, 2, 3]
ODD_RULE_ACTIONS = [1, 4, 5, 8, 9, -1, None, '3', True, 2.0, 3.0, 7.0, 6.0, False, '', 0.0]
BOUNCE_LINES = [
    'to: friend@public.com', 'from: .*@evil\\.example', 'subject:', 'Subject : x',
    'x-spam-flag: yes', 'X-Mailer:.*bulk', 'no colon here', '# subject: x', ' received: from',
    'subject: [', 'subject: *', 'subject: (?i)viagra$', 'message-id: @localhost', 'subject:^',
    'from:\n', 'content-type: multipart', 'subject: \\n\\s', 'cc: ^$', 'subject: \xc3\xa9',
    'subject:   \\d+', 'to:.*,', 'resent-to: .', ': x', 'reply-to:.*<', 'SUBJECT: ^re:',
    'date:2020', 'subject:re:', 'subject: a{99999999999}']
ALIASES = [
    '', '\n', 'other-list', 'other-list@example.org', '.*@example\\.net', '^team', 'list',
    '  alias  ', '(bad', '[', '*', 'undisclosed', '.*', '^$', 'a@b', '.+@lists\\.example',
    '^.*-l$', '\\w+@', 'caf\xc3\xa9', '(?i)ANNOUNCE', '@', '$', 'x{3}', 'anything@']
TYPES = [
    'text/html', 'text/plain', 'multipart', 'multipart/mixed', 'multipart/alternative', 'text',
    'image', 'image/png', 'message/rfc822', 'message', 'application', 'application/octet-stream',
    'application/pgp-signature', 'Text/HTML', 'TEXT/PLAIN', 'application/pdf', '', 'audio',
    'text/', 'application/msword', 'multipart/signed', 'message/delivery-status']
EXTENSIONS = [
    'exe', 'bat', 'zip', 'pdf', 'txt', 'html', 'jpg', 'EXE', '.exe', 'doc', '', 'gz', 'p7s',
    'eml', 'caf\xc3\xa9', 'png']
LANGUAGES = ['en'] * 10 + ['de', 'fr', 'ja', 'ru', 'it', 'es', 'pl', 'he', 'zh_CN', 'ko']
ODD_NUMBERS = [-1, 0, None, '', '2', True, 0.5, 1.5, [], 1 << 70, u'1', float('nan')]


class PostVectors(v.Vectors):
    """Also what searches in decoded headers and odd header blocks are made of."""

    def __init__(self, folder):
        v.Vectors.__init__(self, folder)
        self.wide_patterns = []
        with open(os.path.join(folder, 'regex-unicode.jsonl')) as table:
            self.wide_subjects = json.loads(next(table))['subjects']
            for line in table:
                entry = json.loads(line)
                if all(m in (0, 1) for m in entry['matches'] or []):
                    self.wide_patterns.append(entry['pattern'])
        with open(os.path.join(folder, 'headers.jsonl')) as table:
            self.blocks = [json.loads(line)['raw'].encode('latin-1') for line in table]


def maybe(r, share, mlist, setting, value):
    if r.random() < share:
        setattr(mlist, setting, value)


def numbered(r, usual, odd=0.08):
    return r.choice(ODD_NUMBERS) if r.random() < odd else r.choice(usual)


def header_pattern(r, vectors):
    """One line of a header rule: bytes, or now and then a unicode object."""
    kind = r.random()
    if kind < 0.70:
        found = r.choice(HEADER_PATTERNS)
    elif kind < 0.85:
        found = r.choice(vectors.wide_patterns)
    elif kind < 0.93:
        found = r.choice(vectors.patterns)
    elif kind < 0.993:
        found = r.choice(INVALID)
    else:
        found = r.choice(FATAL)
    if isinstance(found, unicode):
        found = found.encode('utf-8')
    return r.choice(['', '', '', ' ', '^subject: .*']) + found if r.random() < 0.2 else found


def header_rule(r, vectors):
    lines = [header_pattern(r, vectors) for _ in range(r.choice([1, 1, 1, 2, 3]))]
    if r.random() < 0.1:
        lines.insert(0, r.choice(['# note', '', '   ', '#[']))
    text = lines[0]
    for line in lines[1:]:
        text += r.choice(LINE_ENDS) + line
    if r.random() < 0.35:
        text = text.decode(r.choice(['utf-8', 'latin-1', 'latin-1']), 'replace')
    action = r.choice(ODD_RULE_ACTIONS) if r.random() < 0.2 else r.choice(RULE_ACTIONS)
    return (text, action, r.choice([0, False, True, None, '']))


def header_rules(r, vectors):
    if r.random() < 0.02:
        return r.choice([None, [('x', 3)], [None], 5, '', [('', 3, 0, 0)], [(None, 3, 0)], [(5, 0, 0)],
                         ['abc'], {}, ()])
    return [header_rule(r, vectors) for _ in range(r.choice([1, 1, 2, 2, 3, 5]))]


def hashed(r, password):
    kind = r.random()
    if kind < 0.80:
        return hashlib.sha1(password).hexdigest()
    return r.choice([hashlib.sha1(password).hexdigest().upper(), password, '', None,
                     hashlib.md5(password).hexdigest(), hashlib.md5(password).digest(),
                     hashlib.sha1(password).digest(),
                     hashlib.sha1(password).hexdigest().decode('ascii')])


def set_passwords(r, mlist):
    """Sets the three passwords; returns those that messages may try."""
    words = [r.choice(PASSWORDS) for _ in range(3)]
    mlist.password = r.choice([
        hashlib.sha1(words[0]).hexdigest(), hashlib.md5(words[0]).digest(),
        crypt.crypt(words[0], 'ab'), crypt.crypt(words[0], '$1$salt$'), hashed(r, words[0])])
    mlist.mod_password = r.choice([None, hashed(r, words[1])])
    mlist.post_password = r.choice([None, hashed(r, words[2])])
    return words


def set_dmarc(r, mlist, pool, names, vectors):
    mlist.dmarc_moderation_action = (r.choice(v.ODD_ACTIONS) if r.random() < 0.1
                                     else r.choice([0, 0, 1, 2, 3, 3, 4]))
    mlist.dmarc_quarantine_moderation_action = r.choice([True, False, 1, 0])
    mlist.dmarc_none_moderation_action = r.choice([True, False, 0])
    if r.random() < 0.4:
        mlist.dmarc_moderation_addresses = v.entries(r, pool, names, vectors)
    mlist.dmarc_moderation_notice = v.notice(r)


def lines_of(r, choices):
    text = r.choice(['\n', '\n', '\r\n', '\n\n']).join(
        r.choice(choices) for _ in range(r.choice([1, 1, 2, 3, 5])))
    return text.decode('latin-1') if r.random() < 0.05 else text


def set_hold(r, mlist):
    mlist.administrivia = r.choice([True, True, 0, 1, False])
    mlist.max_num_recipients = numbered(r, [0, 2, 3, 5, 10, 10, 10])
    mlist.require_explicit_destination = r.choice([True, False, False, 0])
    maybe(r, 0.5, mlist, 'acceptable_aliases', lines_of(r, ALIASES))
    mlist.bounce_matching_headers = lines_of(r, BOUNCE_LINES) if r.random() < 0.4 else ''
    mlist.max_message_size = numbered(r, [0, 1, 2, 3, 40, 40, 40, 40])
    maybe(r, 0.10, mlist, 'gateway_to_news', r.choice([1, True]))
    maybe(r, 0.30, mlist, 'news_moderation', r.choice([2, 2, 1, 0, '2', 2.0, True]))
    for setting in ('bounce_matching_headers', 'acceptable_aliases'):
        maybe(r, 0.01, mlist, setting, r.choice([None, '', [], u'subject: \xe9', 0]))


def some(r, choices, counts):
    found = [r.choice(choices) for _ in range(r.choice(counts))]
    if r.random() < 0.015:
        return r.choice([tuple(found), ' '.join(found), None, [c.decode('latin-1') for c in found], 0])
    return found


def set_mime(r, mlist):
    mlist.filter_content = r.choice([True, 1, True, True, False])
    if r.random() < 0.7:
        mlist.filter_mime_types = some(r, TYPES, [0, 1, 1, 2])
    if r.random() < 0.7:
        mlist.pass_mime_types = some(r, TYPES, [0, 0, 2, 4, 8])
    if r.random() < 0.7:
        mlist.filter_filename_extensions = some(r, EXTENSIONS, [0, 1, 3, 6])
    if r.random() < 0.4:
        mlist.pass_filename_extensions = some(r, EXTENSIONS, [0, 2, 4, 8])
    mlist.filter_action = numbered(r, [0, 1, 1, 1, 2, 3])
    mlist.collapse_alternatives = r.choice([True, True, False])
    mlist.convert_html_to_plaintext = r.choice([True, False, False])


def pass_moderation(r, mlist):
    """Moderation that lets nearly all pass, for what comes after it."""
    mlist.generic_nonmember_action = r.choice([0, 0, 0, 0, 0, 4, 1])
    mlist.member_moderation_action = r.choice([0, 1, 2])
    mlist.equivalent_domains = r.choice(['', v.native(r.choice(v.EQUIVALENTS))])
    mlist.user_options = {}
    for setting in ('accept', 'hold', 'reject', 'discard'):
        setattr(mlist, setting + '_these_nonmembers', [])


def stop_strangers(r, mlist):
    """Moderation that an approval has something to overcome in."""
    pass_moderation(r, mlist)
    mlist.generic_nonmember_action = r.choice([1, 2, 2, 3])


FOCUSES = [
    'dmarc', 'rules', 'rules', 'approve', 'approve', 'hold', 'hold', 'mime', 'mime', 'all', 'all']


def set_post_settings(r, mlist, pool, names, vectors):
    """Sets what the list's messages are judged by; returns the focus and the
    passwords that messages may carry."""
    focus = r.choice(FOCUSES)

    def share(of, here, elsewhere):
        return r.random() < (here if focus in (of, 'all') else elsewhere)

    if focus == 'approve':
        stop_strangers(r, mlist)
    elif focus != 'all' or r.random() < 0.3:
        pass_moderation(r, mlist)
    mlist.preferred_language = r.choice(LANGUAGES)
    mlist.available_languages = ['en', mlist.preferred_language]
    maybe(r, 0.01, mlist, 'preferred_language', r.choice(['xx', '', None, u'en']))
    if share('dmarc', 0.6, 0.03):
        set_dmarc(r, mlist, pool, names, vectors)
    if share('rules', 0.7, 0.15):
        mlist.header_filter_rules = header_rules(r, vectors)
    mlist.bounce_matching_headers = ''
    mlist.max_num_recipients = r.choice([0, 10, 10])
    mlist.require_explicit_destination = False
    if share('hold', 0.9, 0.2):
        set_hold(r, mlist)
    if share('mime', 0.8, 0.2):
        set_mime(r, mlist)
    maybe(r, 0.07, mlist, 'emergency', r.choice([1, True, '0', 'on']))
    maybe(r, 0.15, mlist, 'scrub_nondigest', r.choice([True, 1, 0]))
    mlist.admin_immed_notify = r.choice([True, 0])
    return focus, set_passwords(r, mlist)
