# -*- coding: utf-8 -*-
"""One subscription through MailList.AddMember, as the web form and mail do it.

A case is a dict of `address` (bytes in Latin-1 code points). Import only after
mailman_site.start().
"""

import sys

from Mailman import Errors
from Mailman.MailList import MailList
from Mailman.UserDesc import UserDesc

import judge

BAD = (Errors.MMBadEmailError, Errors.MMHostileAddress)


def outcome_of(mlist, address):
    """The outcome, and the pattern that bans."""
    try:
        mlist.AddMember(UserDesc(address))
    except Errors.MembershipIsBanned:
        return 'banned', sys.exc_info()[1].args[0]
    except Errors.MMAlreadyAMember:
        return 'member', None
    except BAD:
        return 'bad-address', None
    except (Errors.MMCantDigestError, Errors.MMMustDigestError):
        return 'no-delivery', None
    except Errors.MMSubscribeNeedsConfirmation:
        automatic = mlist.subscribe_policy == 3 and not auto_approved(mlist, address)
        return 'confirm+approve' if automatic else 'confirm', None
    except Errors.MMNeedApproval:
        return 'approve', None
    return 'ok', None


def auto_approved(mlist, address):
    """As after the confirmation; a failure there comes after the mail is out."""
    try:
        return mlist.HasAutoApprovedSender(address)
    except Exception:
        return False


def native(text):
    """As Mailman gets an address: from a form or a message."""
    if judge.PYTHON2:
        return text.encode('latin-1')
    return text.encode('latin-1').decode('utf-8', 'surrogateescape')


def judge_subscribe(listname, case, prefix):
    """The case with `list`, `outcome` and, of a pattern that bans, `pattern`."""
    judge.forget_holds(listname, prefix)
    mlist, pattern = None, None
    try:
        mlist = MailList(listname, lock=False)
        mlist.Lock()
        outcome, pattern = outcome_of(mlist, native(case['address']))
    except Exception:
        outcome = 'shunt'
        case = dict(case, reason='%s: %s' % sys.exc_info()[:2])
    finally:
        # Nothing is saved.
        if mlist is not None and mlist.Locked():
            mlist.Unlock()
    if pattern is not None and not pattern.startswith('^'):
        # Of a literal entry Mailman tells the address.
        pattern = None
    return dict(case, list=listname, outcome=outcome, pattern=judge.as_table_text(pattern))
