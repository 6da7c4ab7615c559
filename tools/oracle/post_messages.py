# -*- coding: utf-8 -*-
"""Random messages: what people, programs and spammers send to lists.

Everything is bytes (Python 2.7 only). `Writer` knows the list that a message
goes to; its methods return pieces of the message.
"""

import base64
import quopri
import re

import vocabulary as v

TEXTS = [
    u'hello', u'meeting', u'café', u'naïve', u'Привет мир', u'你好', u'日本語', u'ﬁnd ﬁrst',
    u'½ price', u'free', u'FREE', u'viagra', u'money', u'İstanbul', u'Straße', u'a b', u'offer',
    u'now', u'€ 5', u'e\u0301te\u0301', u'Å', u'release 2.1', u'budget', u'\U0001f600', u'Grüße',
    u'été', u'x' * 60]
CHARSETS = [
    'utf-8', 'UTF-8', 'iso-8859-1', 'us-ascii', 'windows-1252', 'koi8-r', 'iso-2022-jp', 'gb2312',
    'euc-jp', 'shift_jis', 'big5', 'utf-7', 'iso-8859-15', 'utf-16', 'latin1', 'cp437', 'gbk',
    'windows-1251', 'euc-kr', 'utf8', 'iso8859-1', 'macroman', 'ks_c_5601-1987', 'hz-gb-2312']
ODD_CHARSETS = [
    'x-unknown', 'unknown-8bit', '', 'utf-8*en', 'default', 'iso-8859-99', '8bit', "'utf-8'",
    'utf_8', 'UTF 8', 'ansi_x3.110-1983', 'utf-8;', 'rot13', 'unicode-escape',
    'raw_unicode_escape', 'mbcs', 'utf-32', 'utf-8-sig', 'latin-1 ', 'x' * 80, 'unicode_internal',
    'charmap', 'ascii\xe9']
FATAL_CHARSETS = [
    'hex', 'zlib', 'bz2', 'base64', 'quopri', 'uu', 'string_escape', 'idna', 'punycode',
    'undefined', 'utf-8\x00']
WORDS = [
    'hello', 'meeting', 'patch', 'question', 'release', 'caf\xc3\xa9', 'caf\xe9', 'viagra',
    'budget', 'subscribe', 'http://example.org/?a=b', 'notes', 're:', 'From', 'a' * 90, '=20',
    '<b>x</b>', '%s']
ADMINISTRIVIA = [
    'subscribe', 'unsubscribe', 'help', 'HELP', 'set mail on', 'set digest off x', 'set x maybe',
    'who', 'who a', 'who a b', 'confirm 123456', 'confirm', 'password old new', 'password x',
    'info', 'lists', 'options', 'remove', 'remove me', 'subscribe a b c', 'subscribe a b c d',
    'unsubscribe me', 'unsubscribe me please', 'end', 'join', ' help', '\thelp ', '> help',
    'help!', 'help me', 'set', 'set a on', 'Unsubscribe', 'info\x0b', 'help\xa0', 'help\r']
NAMES = [
    'Approved', 'Approve', 'X-Approved', 'X-Approve', 'APPROVED', 'approve', 'Approved ',
    ' Approved', 'X-approve', 'Aproved', '> Approved', 'x-APPROVED']
FILES = [
    'a.exe', 'a.EXE', 'report.pdf', 'x.txt', '.exe', 'a.exe.', 'a.tar.gz', 'noext', 'caf\xe9.exe',
    '=?utf-8?q?a=2Eexe?=', '=?utf-8?b?YS5leGU=?=', 'a.exe ', 'dir/a.zip', 'a.zip\\', 'a b.doc',
    'x.jpg', '..exe', 'a.', '=?iso-8859-1?q?=E9?=.pdf', 'a."exe', "a.exe'", 'a.caf\xc3\xa9',
    'a.b/c', 'page.html', '=?hex?q?41?=.exe', '=?x-unknown?q?a?= .exe', '', '',
    '=?utf-8?q?caf=C3=A9=2Edoc?=', '=?iso-8859-1?q?=E9.?= exe']
FATAL_FILES = ["; %(n)s*=hex''%%2eexe", '; %(n)s="=?hex?q?41?="', "; %(n)s*=undefined''a.exe",
               '; %(n)s="=?ascii\xe9?q?a?="']
PART_TYPES = [
    'text/plain', 'text/html', 'image/png', 'application/octet-stream', 'application/pdf',
    'application/pgp-signature', 'message/rfc822', 'text/calendar', 'text/rtf', 'TEXT/HTML',
    'audio/x-wav', 'application/msword', 'message/delivery-status', 'text/enriched']
ODD_TYPES = [
    '', 'text', 'text/', '/plain', 'text/plain/x', 'multipart', 'text; charset=utf-8', 'plain',
    'text/plain; charset', 'text /plain', 'text/html;;', ' text/html', 'multipart/mixed',
    'multipart/mixed; boundary=', 'multipart/mixed; boundary=""', 'message/external-body',
    'message/partial', 'text/plain (comment)', '"text/html"', 'text/plain, text/html',
    'html/text', 'text/plain; charset="utf-8', "multipart/x; boundary*=us-ascii'en'%62",
    'text/x-\xe9', 'a b/c', 'message/rfc822; x', 'multipart/alternative', 'multipart/digest',
    'text/html\t; charset=x']
ENCODINGS = [
    None, None, None, '7bit', '8bit', 'quoted-printable', 'base64', 'base64',
    'quoted-printable', 'BASE64',
    ' base64', 'x-uuencode', 'binary', 'bogus', 'base64 ', 'Quoted-Printable']
BOUNDARIES = [
    'b', '=_x', '----=_Part_1', 'a b', 'x.y+z', '(1)', '=-=', "b'c", 'bb', '0' * 70, '[a]', '--',
    'b?']
RECEIVED = [
    'from [192.168.10.1] by relay',
    'from mail.example.net (mail.example.net [192.0.2.7])\n\tby mx; Mon, 2 Mar 2020 10:00:00 +0000',
    'from x ([IPv6:2001:db8::1]) by y', 'by z with local']
SUBTYPES = [
    'mixed', 'mixed', 'alternative', 'alternative', 'related', 'signed', 'report', 'digest',
    'MIXED', 'appledouble', 'x-odd']
DEEPEST = 4
# Before a header line that is not a continuation.
FIELD_START = re.compile(r'\n(?![ \t])')


def encoded(text, charset):
    """The text's bytes in the charset, or in UTF-8 where it has no such."""
    try:
        return text.encode(charset)
    except (LookupError, UnicodeError, ValueError, TypeError):
        return text.encode('utf-8')


def encoded_word(r):
    kind = r.random()
    charset = r.choice(CHARSETS if kind < 0.85 else ODD_CHARSETS)
    if kind > 0.997:
        charset = r.choice(FATAL_CHARSETS)
    data = encoded(r.choice(TEXTS), charset)
    if r.random() < 0.1:
        data = data[:-1] or data
    if r.random() < 0.5:
        word = '=?%s?%s?%s?=' % (charset, r.choice('bB'), base64.b64encode(data))
        return word.replace('=?=', '?=') if r.random() < 0.1 else word
    text = ''.join(c if c.isalnum() else '_' if c == ' ' else '=%02X' % ord(c) for c in data)
    return '=?%s?%s?%s?=' % (charset, r.choice('qQ'), text)


ODD_WORDS = [
    '=?utf-8?q?open', '=?utf-8?x?a?=', '=??q?a?=', '=?utf-8?b?!!!?=', '=?utf-8?b?YQ?=', '?=',
    '=?', '=?utf-8?q??=', '=?utf-8?q?a?b?=', '=?utf-8?b?Y=Q=?=', '"=?utf-8?q?quoted?="',
    '=?utf-8?q?a b?=', '(=?utf-8?q?in?=)', '=?utf-8*fr?q?=E9?=', '=?us-ascii?q?=FF?=',
    '=?utf-8?b?/w==?=']


def header_text(r):
    """A Subject-like value: plain, encoded, folded, 8-bit."""
    pieces = []
    for _ in range(r.choice([1, 1, 2, 3, 4])):
        kind = r.random()
        if kind < 0.45:
            piece = encoded(r.choice(TEXTS[:2] + TEXTS[9:13] + [u'a b', u'now', u're:', u'1']), 'utf-8')
        elif kind < 0.75:
            piece = encoded_word(r)
        elif kind < 0.80:
            piece = r.choice(ODD_WORDS)
        elif kind < 0.92:
            piece = encoded(r.choice(TEXTS), r.choice(['utf-8', 'utf-8', 'iso-8859-1']))
        else:
            piece = r.choice(ADMINISTRIVIA)
        pieces += [piece, r.choice([' ', ' ', ' ', '', '\n ', '\n\t', '  ', '\n  ', '\t'])]
    return ''.join(pieces[:-1])


def words(r, count):
    out = []
    for _ in range(count):
        out += [r.choice(WORDS), r.choice([' ', ' ', ' ', '\n', '\n', '\n\n'])]
    return ''.join(out)


class Writer(object):
    """Writes messages to one list."""

    def __init__(self, r, listname, host, pool, made, vectors):
        self.r, self.list, self.host = r, listname, host
        self.pool, self.vectors = pool, vectors
        focus, self.passwords = made
        self.approvals = 0.35 if focus == 'approve' else 0.07

    def some_password(self):
        return self.r.choice(self.passwords * 4 + ['wrong', '', 'secret', ' '])

    def approval_line(self):
        r = self.r
        name = NAMES[0] if r.random() < 0.55 else r.choice(NAMES)
        blank = r.choice([' ', ' ', ' ', '', '\t', '  ', '\xa0', '&nbsp;'])
        line = name + r.choice([':', ':', ':', ':', ' :', '']) + blank + self.some_password()
        return line + r.choice([''] * 6 + [' ', '\r', '\t'])

    def body_text(self):
        """Text before any transfer encoding."""
        r = self.r
        kind = r.random()
        if kind < 0.06:
            text = r.choice(ADMINISTRIVIA) + r.choice(['', '\n', '\n\n'])
        elif kind < 0.12:
            text = '\n' * r.choice([0, 1, 5]) + r.choice(ADMINISTRIVIA) + '\n'
            text += words(r, r.choice([0, 3, 40]))
        elif kind < 0.14:
            text = r.choice(['', '\n', ' \n', '\r\n'])
        elif kind < 0.14 + self.approvals * 1.3:
            text = r.choice(['', '', '\n', ' \n\n']) + self.approval_line()
            text += r.choice(['\n', '\n', '\n\n', '']) + words(r, 5)
        else:
            text = words(r, r.choice([1, 3, 10, 10, 30, 120]))
        if r.random() < 0.05:
            text += r.choice(['-- \nsig\n', '\n-- ', '\n-- \n', '\n--b\n', '\nFrom x\n'])
        return text

    def sized(self, text):
        """Now and then a text near one of the usual limits."""
        limit = self.r.choice([1, 1, 2, 3, 3, 40]) * 1024
        wanted = limit + self.r.choice([-60, -3, -2, -1, 0, 1, 2, 60])
        filler = ('lorem ipsum dolor ' * 3 + '\n') * (wanted // 50)
        return (text + filler)[:wanted]

    def html(self, text):
        r = self.r
        if ':' in text and r.random() < 0.5:
            text = text.replace(':', r.choice([':', ':<b>', ': &nbsp;', '</b>:']), 1)
        return r.choice(['<html><p>%s</p></html>', '<b>%s</b>\n', '%s', '<!-- %s -->',
                         '<br>%s']).replace('%s', text)

    def transfer(self, text):
        """(Content-Transfer-Encoding or None, the text so encoded or not)."""
        encoding = self.r.choice(ENCODINGS)
        if encoding is None or self.r.random() < 0.04:
            return encoding, text
        kind = encoding.strip().lower()
        if kind == 'base64':
            text = base64.encodestring(text)
            if self.r.random() < 0.08:
                text = self.r.choice([text[:-3], '!' + text, text + 'junk\n',
                                      text.replace('\n', ''), text[1:]])
        elif kind == 'quoted-printable':
            text = quopri.encodestring(text)
        elif kind == 'x-uuencode' and self.r.random() < 0.7:
            text = 'begin 666 x\n' + text[:40].encode('uu').split('\n', 1)[1]
        return encoding, text

    def parameters(self, main):
        r = self.r
        out = ''
        if main == 'text' and r.random() < 0.7:
            kind = r.random()
            charset = r.choice(CHARSETS[:5] if kind < 0.7 else
                               CHARSETS if kind < 0.92 else ODD_CHARSETS)
            out += r.choice(['; charset=%s', '; charset="%s"', ';charset=%s',
                             ';\n charset="%s"']) % charset
        if main == 'text' and r.random() < 0.1:
            out += r.choice(['; format=flowed', '; format=flowed; delsp=yes', '; Format="x y"'])
        if r.random() < 0.12:
            out += self.file_parameter('name')
        return out

    def file_parameter(self, name):
        r = self.r
        found = r.choice(FILES)
        if r.random() < 0.01:
            return r.choice(FATAL_FILES) % {'n': name}
        return r.choice(['; %(n)s="%(f)s"', '; %(n)s="%(f)s"', '; %(n)s=%(f)s',
                         ";\n %(n)s*=utf-8''%(f)s",
                         '; %(n)s*0="a.e"; %(n)s*1="xe"', "; %(n)s*0*=utf-8'en'a%%2E; %(n)s*1*=exe",
                         '; %(n)s', '; %(n)s=', "; %(n)s*=x-unknown''a%%2eexe", '; %(n)s*=a.exe',
                         "; %(n)s*=utf-8'a.exe"]) % {'n': name, 'f': found}

    def leaf(self, kind):
        """(header lines, body) of a part that is no multipart."""
        r = self.r
        lines = []
        text = self.body_text()
        if kind == 'text/html':
            text = self.html(text)
        encoding, text = self.transfer(text)
        if kind is not None:
            lines.append('Content-Type: ' + kind + self.parameters(kind.split('/')[0].lower()))
        if encoding is not None:
            lines.append('Content-Transfer-Encoding: ' + encoding)
        share = 0.05 if kind is None or kind.startswith('text') else 0.5
        if r.random() < share:
            lines.append('Content-Disposition: ' + r.choice(['attachment', 'inline', 'Attachment', ''])
                         + (self.file_parameter('filename') if r.random() < 0.85 else ''))
        if r.random() < 0.06:
            r.shuffle(lines)
        return lines, text

    def part(self, depth, subtype=None):
        r = self.r
        kind = r.random()
        if depth < DEEPEST and kind < 0.12:
            return self.multipart(depth + 1)
        if subtype == 'alternative' and kind < 0.8:
            return self.leaf(r.choice(['text/plain', 'text/html', 'text/html', 'text/calendar']))
        if kind < 0.45:
            return self.leaf(r.choice([None, 'text/plain', 'text/plain']))
        if kind < 0.57 and depth < DEEPEST:
            inner = self.message(depth + 1)
            return ['Content-Type: message/rfc822'] if r.random() < 0.95 else [], inner
        if kind < 0.62:
            return self.leaf(r.choice(ODD_TYPES))
        return self.leaf(r.choice(PART_TYPES))

    def status(self):
        return (['Content-Type: message/delivery-status'],
                'Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b\nAction: failed\n')

    def multipart(self, depth):
        """A multipart part, its boundaries now and then missing or misplaced."""
        r = self.r
        subtype = r.choice(SUBTYPES)
        boundary = r.choice(BOUNDARIES)
        declared = boundary if r.random() < 0.95 else r.choice(BOUNDARIES + ['nosuch', ''])
        count = r.choice([1, 2, 2, 2, 3, 3, 4, 0])
        parts = [self.part(depth, subtype) for _ in range(count)]
        if subtype == 'report':
            parts.append(self.status())
        out = r.choice(['', '', '', 'This is a multi-part message.\n', '\n', 'x' * 300 + '\n'])
        for headers, body in parts:
            out += '--%s%s\n' % (boundary, r.choice([''] * 12 + [' ', '\t', 'x']))
            out += ''.join(line + '\n' for line in headers)
            out += r.choice(['\n'] * 20 + ['', 'no header line\n\n', ' \n'])
            out += body + r.choice(['\n', '\n', '\n', '', '\n\n'])
        if r.random() < 0.9:
            out += '--%s--' % boundary
            out += r.choice(['\n', '\n', '', '\nepilogue\n', '\n\n', ' \n', 'x\n', '\n' * 300])
        header = 'Content-Type: multipart/%s%s' % (
            subtype, r.choice(['; boundary="%s"', '; boundary="%s"', ';\n boundary="%s"',
                               '; boundary=%s', '; charset=utf-8; BOUNDARY="%s"', '; boundary="%s "',
                               '; boundary="%s"; type=x'])
            % declared)
        lines = [header]
        if r.random() < 0.08:
            lines.append('Content-Transfer-Encoding: '
                         + r.choice(['7bit', 'base64', '8bit', 'quoted-printable']))
        if r.random() < 0.05:
            lines.append('Content-Disposition: attachment' + self.file_parameter('filename'))
        return lines, out

    def recipients(self):
        r = self.r
        own = r.choice(['%s@%s', '%s@%s', '%s@%s', '<%s@%s>', 'The List <%s@%s>', '"%s" <%s@x>',
                        '%s@elsewhere.example%.0s', 'x %s@%s', '%s%.0s', '%s-request@%s',
                        'list (%s@%s)']) % (
            v.changed_case(r, self.list), v.changed_case(r, self.host))
        others = [v.latin(r.choice(self.pool)).encode('latin-1')
                  for _ in range(r.choice([0, 0, 0, 1, 1, 2, 3, 4, 9, 12]))]
        if r.random() < 0.1:
            others.append(r.choice(['other-list@example.org', 'undisclosed-recipients:;',
                                    'g: a@b, c@d;', '', ',,', 'alias@x', 'anything@b', '"a, b" <c@d>',
                                    '=?utf-8?q?a?= <e@f>']))
        if r.random() < 0.85:
            others.insert(r.randrange(len(others) + 1), own)
        return r.choice([', ', ',', ',\n ', ', ']).join(others)

    def address_header(self):
        found = v.header(self.r, self.pool, self.vectors)
        return None if found is None else found.encode('latin-1')

    def headers(self):
        """The usual header lines, in no certain order."""
        r = self.r
        lines = []

        def add(share, name, value):
            if value is not None and r.random() < share:
                start = v.changed_case(r, name), r.choice([' '] * 9 + ['', '  ', '\t', '\n '])
                lines.append('%s:%s' % start + value)

        add(1, 'From', self.address_header())
        add(0.95, 'To', self.recipients())
        add(0.2, 'Cc', self.recipients())
        add(0.04, r.choice(['Resent-To', 'Resent-Cc', 'To', 'Cc', 'Bcc']), self.recipients())
        add(0.92, 'Subject', header_text(r))
        add(0.05, 'Subject', r.choice(ADMINISTRIVIA + ['', 'viagra viagra']))
        add(0.8, 'Date', 'Mon, 02 Mar 2020 10:00:00 +0000')
        add(0.9, 'Message-ID', '<%d@%s>' % (r.randrange(99), r.choice(['localhost', 'example.org'])))
        add(0.1, 'Sender', self.address_header())
        add(0.12, 'Reply-To', self.address_header())
        add(0.5, 'Received', r.choice(RECEIVED))
        add(0.3, 'Received', r.choice(RECEIVED))
        add(0.06, 'X-BeenThere', v.changed_case(r, r.choice(
            ['%s@%s', '%s@%s', ' %s@%s ', '<%s@%s>', '%s@other%.0s',
             '%s-x@%s']) % (self.list, self.host)))
        add(self.approvals, r.choice(NAMES[:4] + ['APPROVED', 'approve']), self.some_password())
        add(0.05, r.choice(['X-Mailer', 'List-Id', 'X-Spam-Flag', 'X-Odd', 'Comments',
                            'Precedence', 'X-Ack']),
            r.choice(['yes', 'bulk', header_text(r), 'spamware 1.0', 'list']))
        add(0.03, 'Urgent', self.some_password())
        if r.random() < 0.3:
            r.shuffle(lines)
        return lines

    def body(self, depth):
        r = self.r
        kind = r.random()
        if kind < 0.45:
            return self.multipart(depth)
        if kind < 0.70:
            return self.leaf(None)
        if kind < 0.90:
            return self.leaf(r.choice(['text/plain', 'text/plain', 'text/html']))
        if kind < 0.95:
            return self.leaf(r.choice(PART_TYPES))
        return self.leaf(r.choice(ODD_TYPES))

    def message(self, depth=0):
        r = self.r
        lines = self.headers()
        more, body = self.body(depth)
        if more and r.random() < 0.8:
            lines.append('MIME-Version: 1.0')
        lines += more
        if depth == 0 and r.random() < 0.08:
            body = self.sized(body)
        if r.random() < 0.02:
            lines.insert(r.randrange(len(lines) + 1), r.choice([
                'no colon', 'Sub ject: x', ' folded first', 'From x@y Mon', ': empty', 'X\xe9: 8bit',
                'X:', 'x', '>From y']))
        return '\n'.join(lines) + '\n' + r.choice(['\n'] * 30 + ['', ' \n', '\r\n']) + body

    def post(self):
        """A whole message, line ends as they may come."""
        r = self.r
        if r.random() < 0.04:
            return r.choice(self.vectors.blocks)
        text = self.message()
        kind = r.random()
        if kind < 0.05:
            return text.replace('\r\n', '\n').replace('\n', '\r\n')
        if kind < 0.06:
            return text.replace('\n', r.choice(['\r', '\r\n', '\n']), r.choice([1, 5]))
        if kind < 0.075:
            at = r.randrange(len(text) + 1)
            put = r.choice(['', '\x00', '\xff', '\r', '\n\n', '--'])
            return text[:at] + put + text[at + r.choice([0, 1, 20]):]
        return text

    def adapted(self, text):
        """Somebody's message, mostly made to come from one who matters to the list
        and to go to it, now and then with a further header line."""
        r = self.r
        head, blank, body = text.replace('\r\n', '\n').partition('\n\n')
        lines = FIELD_START.split(head)
        for share, name, value in [
                (0.8, 'From', self.address_header()), (0.7, 'To', self.recipients()),
                (self.approvals, r.choice(NAMES[:4]), self.some_password()),
                (0.03, 'Subject', r.choice(ADMINISTRIVIA)), (0.05, 'Sender', self.address_header())]:
            if value is not None and r.random() < share:
                if r.random() < 0.9:
                    lines = [x for x in lines if not x.lower().startswith(name.lower() + ':')]
                lines.insert(r.randrange(len(lines) + 1), '%s: %s' % (name, value))
        if r.random() < 0.9:
            lines = [x for x in lines if not x.startswith('From ')]
        return '\n'.join(lines) + blank + body
