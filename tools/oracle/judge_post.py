# -*- coding: utf-8 -*-
"""A whole message through Mailman's deciding handlers, in its pipeline's order.

A case is a dict of `message` (a file's name), `envelope_from` (bytes in Latin-1
code points; None: no From_ line) and `dmarc_policy` (what DNS would say of the
From domain; None: no record). Import only after mailman_site.start().

Python 2.7 and Mailman 2.1 only.
"""

import email
import os
import re
import sys
import types

from Mailman import Errors
from Mailman import Message
from Mailman import Utils
from Mailman import i18n
from Mailman import mm_cfg
from Mailman.Handlers import Hold
from Mailman.Handlers import SpamDetect
from Mailman.Logging.Syslog import syslog
from Mailman.MailList import MailList

import judge

HANDLERS = ['SpamDetect', 'Approve', 'Moderate', 'Hold', 'MimeDel', 'Emergency']
# A message on which Python's parser itself fails never reaches a handler.
PARSER = 'parser'
EMERGENCY = 'emergency'


class NoRecord(Exception):
    """DNS has no such name (or no TXT record under it)."""


class NoServers(Exception):
    """Never raised: Mailman's code only needs it to exist."""


class OneRecord(object):
    """An answer with one TXT record, as dnspython hands it over."""

    rdtype = 'TXT'

    def __init__(self, name, text):
        self.text, self.strings = name + '.', [text]
        self.name, self.items = self, [self]
        self.response, self.answer = self, [self]

    def to_text(self):
        return self.text


class DmarcDns(object):
    """Stands in for the `dns` package: one policy, whatever the domain."""

    policy = None

    def __init__(self):
        kinds = types.ModuleType('dns.rdatatype')
        kinds.TXT, kinds.CNAME = 'TXT', 'CNAME'
        self.rdatatype = kinds
        self.resolver = self
        self.NXDOMAIN = self.NoAnswer = NoRecord
        self.NoNameservers = NoServers

    def Resolver(self):
        return self

    def query(self, name, _kind):
        if self.policy is None:
            raise NoRecord(name)
        return OneRecord(name, 'v=DMARC1; p=%s' % self.policy)


DNS = DmarcDns()


class HeadersRead(object):
    """Sees whether SpamDetect got past DMARC to its header rules."""

    def __init__(self):
        self.seen = False
        self.decode = SpamDetect.getDecodedHeaders
        SpamDetect.getDecodedHeaders = self

    def __call__(self, *arguments):
        self.seen = True
        return self.decode(*arguments)


HEADERS_READ = HeadersRead()


class Holding(object):
    """Holds as Mailman does, but a failure to prepare the held message or its
    notices is noted instead of hiding that a handler decided to hold."""

    def __init__(self):
        self.failure = None
        self.hold = Hold.hold_for_approval
        Hold.hold_for_approval = SpamDetect.hold_for_approval = self

    def __call__(self, mlist, message, data, kind):
        try:
            self.hold(mlist, message, data, kind)
        except Errors.HoldMessage:
            raise
        except Exception as error:
            self.failure = words_of(error)
            raise kind if isinstance(kind, Exception) else kind()


HOLDING = Holding()


def stand_in_for_dns():
    """The lookups answered from the case; the organizational domain, for which
    Mailman would fetch a list over HTTPS, is the domain itself."""
    Utils.dns = DNS
    Utils.dns_resolver = True
    Utils.DNSException = NoServers
    Utils.get_org_dom = lambda domain: domain


stand_in_for_dns()


class Pristine(object):
    """Lists as they were: a password upgrade and an update of the data format
    save the list, and no case may see what another left behind."""

    def __init__(self):
        self.texts = {}

    def files(self, folder):
        return dict((name, os.stat(os.path.join(folder, name)).st_ino)
                    for name in os.listdir(folder) if name.startswith('config.'))

    def before(self, folder):
        if folder not in self.texts:
            path = os.path.join(folder, 'config.pck')
            with open(path, 'rb') as source:
                self.texts[folder] = source.read(), self.files(folder)

    def after(self, folder):
        text, files = self.texts[folder]
        if self.files(folder) == files:
            return
        for name in self.files(folder):
            os.remove(os.path.join(folder, name))
        with open(os.path.join(folder, 'config.pck'), 'wb') as target:
            target.write(text)
        self.texts[folder] = text, self.files(folder)


PRISTINE = Pristine()


def handlers_in_force():
    """The site's JUDGED_HANDLERS (not a setting of Mailman's), or the usual."""
    return getattr(mm_cfg, 'JUDGED_HANDLERS', HANDLERS)


def message_text(case, body):
    """The message as the MTA pipes it."""
    if case['envelope_from'] is None:
        return body
    sender = case['envelope_from'].encode('latin-1') or judge.NULL_SENDER
    return 'From %s Mon Jan  1 00:00:00 2024\n%s' % (sender, body)


def words_of(error):
    """The exception's name and, if it has any, its words; bytes."""
    try:
        words = str(error)
    except Exception:
        words = ''
    name = error.__class__.__name__
    return '%s: %s' % (name, words) if words else name


def mail_rejection(mlist, message, data, rejection):
    """Mails the notice as IncomingRunner does; the text that was mailed."""
    syslog('vette', 'reason: %s', rejection.notice())
    mlist.BounceMessage(message, data, rejection)
    if not isinstance(judge.WATCH.mailed, str):
        raise judge.Unmailed('unicode')
    return judge.WATCH.mailed


def own_words(mlist, handler):
    """The list's own setting that the rejection is made of, or nothing."""
    if handler == 'SpamDetect':
        return None if HEADERS_READ.seen else mlist.dmarc_moderation_notice
    if handler == 'Moderate':
        return (mlist.nonmember_rejection_notice if judge.WATCH.to_stranger
                else mlist.member_moderation_notice)
    return None


def in_english(hold):
    """The reason for a hold, in the tables' language whatever the sender's."""
    i18n.set_language('en')
    return hold.reason_notice()


def run_handler(mlist, message, data, handler):
    """Verdict, reason and notice where this handler decides, else None."""
    module = 'Mailman.Handlers.' + handler
    __import__(module)
    try:
        sys.modules[module].process(mlist, message, data)
    except Errors.DiscardMessage as error:
        return 'discard', error.__class__.__name__, None
    except Errors.HoldMessage as error:
        return 'hold', EMERGENCY if handler == 'Emergency' else in_english(error), None
    except Errors.RejectMessage as error:
        mailed = mail_rejection(mlist, message, data, error)
        own = own_words(mlist, handler)
        return 'reject', 'RejectMessage', mailed if own else None
    return None


def run_pipeline(mlist, message, listname):
    """Verdict, handler, reason and notice; exceptions are Mailman's shunts."""
    judge.WATCH.reset()
    HEADERS_READ.seen, HOLDING.failure = False, None
    Utils.recentMemberPostings.clear()
    data = {'listname': listname, 'tolist': 1, 'received_time': 1704067200.0}
    handler = None
    try:
        data['lang'] = mlist.getMemberLanguage(message.get_sender())
        i18n.set_language(data['lang'])
        for handler in handlers_in_force():
            decided = run_handler(mlist, message, data, handler)
            if decided:
                return (decided[0], handler) + decided[1:]
    except judge.Unmailed as error:
        return judge.UNMAILED, handler, str(error), None
    except Exception as error:
        return 'shunt', handler, words_of(error), None
    return 'accept', None, None, None


def judge_text(listname, case, body, prefix):
    try:
        message = email.message_from_string(message_text(case, body),
                                            Message.Message)
    except Exception as error:
        return 'shunt', PARSER, words_of(error), None
    mlist = MailList(listname, lock=False)
    mlist.Lock()
    try:
        return run_pipeline(mlist, message, listname)
    finally:
        if mlist.Locked():
            mlist.Unlock()


def judge_post(listname, case, messages, prefix):
    """The case with `list`, `verdict`, `handler`, `reason` and `notice`."""
    with open(os.path.join(messages, case['message']), 'rb') as source:
        body = source.read()
    folder = os.path.join(prefix, 'lists', listname)
    judge.forget_holds(listname, prefix)
    PRISTINE.before(folder)
    DNS.policy = case['dmarc_policy']
    try:
        verdict, handler, reason, notice = judge_text(listname, case, body, prefix)
    except Exception as error:
        verdict, handler, reason, notice = 'shunt', None, words_of(error), None
    PRISTINE.after(folder)
    judged = dict(case, list=listname, verdict=verdict, handler=handler,
                  reason=judge.as_table_text(reason),
                  notice=judge.as_table_text(notice))
    if verdict == 'hold' and HOLDING.failure:
        judged['unheld'] = judge.as_table_text(HOLDING.failure)
    return judged


def unrepeatable(judged, prefix):
    """True if a text of the verdict is different in every process."""
    reason = judged['reason'] or ''
    return judge.unrepeatable(judged, prefix) or re.search(
        r' at 0x|tmp\.|' + re.escape(prefix), reason) is not None
