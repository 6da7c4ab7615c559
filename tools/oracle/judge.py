# -*- coding: utf-8 -*-
"""One message through Mailman's Moderate handler, as IncomingRunner runs it.

A case is a dict of `from`, `envelope_from`, `reply_to`, `sender`: header
values as bytes written in Latin-1 code points, None where absent. Import only
after mailman_site.start().
"""

import email
import os
import re
import sys

from Mailman import Errors
from Mailman import Message
from Mailman import i18n
from Mailman import Bouncer
from Mailman.Handlers import Moderate
from Mailman.Logging.Syslog import syslog
from Mailman.MailList import MailList

PYTHON2 = sys.version_info[0] == 2
# What Exim's pipe transport writes for the null sender.
NULL_SENDER = 'MAILER-DAEMON'
# The verdict where mailing the rejection raised `reason` (the runner shunts), or
# the text was a unicode object in no certain charset.
UNMAILED = 'unmailed'
HEADERS = [('from', 'From'), ('reply_to', 'Reply-To'), ('sender', 'Sender')]


class Unspeakable(Exception):
    """The case does not survive being written as a message."""


class Unmailed(Exception):
    """Moderate rejected, but no plain bytes or text could be mailed."""


class Watch(object):
    """Sees which notice Moderate chose and the text that is mailed."""

    def __init__(self):
        self.to_stranger = False
        self.mailed = None
        do_reject, mime_text = Moderate.do_reject, Bouncer.MIMEText

        def seen_do_reject(mlist):
            self.to_stranger = True
            return do_reject(mlist)

        def seen_mime_text(text, *arguments, **keywords):
            self.mailed = text
            return mime_text(text, *arguments, **keywords)

        Moderate.do_reject = seen_do_reject
        Bouncer.MIMEText = seen_mime_text

    def reset(self):
        self.to_stranger = False
        self.mailed = None


WATCH = Watch()


def message_text(case):
    """The message as the MTA pipes it, bytes in Latin-1 code points."""
    lines = []
    if case['envelope_from'] is not None:
        lines.append('From %s Mon Jan  1 00:00:00 2024'
                     % (case['envelope_from'] or NULL_SENDER))
    for field, name in HEADERS:
        if case[field] is not None:
            lines.append('%s: %s' % (name, case[field]))
    lines += ['To: someone@example.org', 'Message-ID: <1@example.org>', '', 'x', '']
    return '\n'.join(lines)


def parse(case):
    text = message_text(case)
    if PYTHON2:
        if not isinstance(text, str):
            text = text.encode('latin-1')
    else:
        # sys.stdin of scripts/post: UTF-8, or under the C locale its escapes.
        text = text.encode('latin-1').decode('utf-8', 'surrogateescape')
    message = email.message_from_string(text, Message.Message)
    for field, name in HEADERS:
        if len(message.get_all(name, [])) != (case[field] is not None):
            raise Unspeakable(name)
    if 'Message-ID' not in message:
        raise Unspeakable('headers end early')
    return message


def forget_holds(listname, prefix):
    """Removes what holding the previous message left behind."""
    folder = os.path.join(prefix, 'lists', listname)
    for name in ('request.pck', 'requests.pck', 'pending.pck'):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            os.remove(path)
    data = os.path.join(prefix, 'data')
    for name in os.listdir(data):
        os.remove(os.path.join(data, name))


def as_runner(mlist, message):
    """Verdict, reason and mailed text; exceptions are Mailman's shunts."""
    WATCH.reset()
    data = {'lang': mlist.getMemberLanguage(message.get_sender())}
    i18n.set_language(data['lang'])
    try:
        Moderate.process(mlist, message, data)
    except Errors.DiscardMessage:
        return 'discard', 'DiscardMessage', None
    except Errors.HoldMessage:
        return 'hold', sys.exc_info()[1].reason, None
    except Errors.RejectMessage:
        rejection = sys.exc_info()[1]
        syslog('vette', 'reason: %s', rejection.notice())
        try:
            mlist.BounceMessage(message, data, rejection)
        except Exception:
            raise Unmailed(sys.exc_info()[0].__name__)
        if PYTHON2 and not is_plain(WATCH.mailed):
            raise Unmailed('unicode')
        own = (mlist.nonmember_rejection_notice if WATCH.to_stranger
               else mlist.member_moderation_notice)
        return 'reject', 'RejectMessage', WATCH.mailed if own else None
    return 'accept', None, None


def is_plain(text):
    """False for a unicode object whose bytes depend on the charset."""
    return isinstance(text, str) or all(ord(c) < 128 for c in text)


def as_table_text(text):
    """Bytes as Latin-1 code points; text objects as they are."""
    if PYTHON2 and isinstance(text, str):
        return text.decode('latin-1')
    return text


def judge(listname, case, prefix):
    """The case with `list`, `verdict`, `reason` and `notice`."""
    message = parse(case)
    forget_holds(listname, prefix)
    mlist = None
    try:
        mlist = MailList(listname, lock=False)
        mlist.Lock()
        verdict, reason, notice = as_runner(mlist, message)
    except Unmailed:
        verdict, reason, notice = UNMAILED, str(sys.exc_info()[1]), None
    except Exception:
        verdict, reason, notice = 'shunt', sys.exc_info()[0].__name__, None
    finally:
        if mlist is not None and mlist.Locked():
            mlist.Unlock()
    judged = dict(case, list=listname, verdict=verdict, reason=reason,
                  notice=as_table_text(notice))
    return judged


def unrepeatable(judged, prefix):
    """True if the notice holds a dump of the interpreter's variables."""
    notice = judged['notice']
    return notice is not None and (
        prefix in notice or re.search(r' at 0x|<module|<function|<class|\{[\'"]', notice)
        is not None)
