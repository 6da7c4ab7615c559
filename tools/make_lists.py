#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Writes the fixture lists under tests/fixtures/lists as Mailman saves them.

    python2.7 tools/make_lists.py [--check] [DIR]    lists of Mailman 2.1.39
    python3   tools/make_lists.py [--check] [DIR]    lists of the port, 2.2.0

Each run writes (or, with --check, loads back and compares) the lists of the
interpreter's own generation: only Python 2 writes byte strings and old-style
instances as Mailman 2.1 does. The output is the same on every run (without -R).
tests/fixtures/README.md says what each list is for.
"""

from __future__ import print_function

import marshal
import os
import sys
import types

PYTHON2 = sys.version_info[0] == 2
if PYTHON2:
    import cPickle as pickle
else:
    import pickle
    long = int

HERE = os.path.dirname(os.path.abspath(__file__))
LISTS_DIR = os.path.join(HERE, '..', 'tests', 'fixtures', 'lists')
HOST = 'lists.example.org'

# Bits of user_options and codes of delivery_status (Mailman/Defaults.py,
# Mailman/MemberAdaptor.py).
MODERATE = 128
NO_DUPLICATES = 256
BY_USER = 2
BY_BOUNCE = 4

LAST_NOTICE_NEVER = (1970, 1, 2)
CREATED_AT = 1577836800.25

# Values of generic_nonmember_action; member_moderation_action counts
# hold 0, reject 1, discard 2.
ACCEPT, HOLD, REJECT, DISCARD, ACCEPT_TOO = range(5)


def fake_bouncer_module():
    """Returns a class that pickles under Mailman's name for it."""
    class _BounceInfo:
        pass
    package = types.ModuleType('Mailman')
    bouncer = types.ModuleType('Mailman.Bouncer')
    _BounceInfo.__module__ = 'Mailman.Bouncer'
    _BounceInfo.__qualname__ = '_BounceInfo'
    if PYTHON2:
        del _BounceInfo.__qualname__
    bouncer._BounceInfo = _BounceInfo
    sys.modules['Mailman'] = package
    sys.modules['Mailman.Bouncer'] = bouncer
    return _BounceInfo


BounceInfo = fake_bouncer_module()


def fresh(value):
    """A deep copy in which no two strings are one object.

    Literals of this file are interned; Mailman's values come from many
    places, so that its pickles repeat most strings instead of referring back.
    """
    if isinstance(value, dict):
        return dict((fresh(k), fresh(v)) for k, v in value.items())
    if isinstance(value, list):
        return [fresh(v) for v in value]
    if isinstance(value, (str, type(u''))):
        return value[:1] + value[1:]
    return value


def stock(name, host=HOST):
    """The attributes of a list just created by Mailman 2.1.39."""
    return {
        # MailList
        'data_version': 112, 'real_name': name.capitalize(),
        'host_name': host, 'web_page_url': 'http://%s/mailman/' % host,
        'created_at': CREATED_AT, 'owner': ['admin@example.org'],
        'moderator': [], 'password': '6' * 40, 'mod_password': None,
        'post_password': None, 'description': '', 'info': '',
        'preferred_language': 'en', 'available_languages': ['en'],
        'post_id': 1.0, 'next_post_number': 1, 'volume': 1,
        'last_post_time': 0, 'advertised': True, 'anonymous_list': False,
        'msg_header': '', 'msg_footer': 'footer',
        'subject_prefix': '[%s] ' % name.capitalize(),
        'welcome_msg': '', 'goodbye_msg': '', 'send_welcome_msg': True,
        'send_goodbye_msg': True, 'send_reminders': True,
        'reply_goes_to_list': 0, 'reply_to_address': '',
        'first_strip_reply_to': False, 'drop_cc': True, 'personalize': 0,
        'admin_immed_notify': True, 'admin_notify_mchanges': False,
        'admin_member_chunksize': 30, 'max_days_to_hold': 0,
        'max_message_size': 40, 'max_num_recipients': 10,
        'include_rfc2369_headers': 1, 'include_list_post_header': 1,
        'include_sender_header': 1, 'encode_ascii_prefixes': 0,
        'from_is_list': 0, 'umbrella_list': False,
        'umbrella_member_suffix': '-owner', 'obscure_addresses': True,
        'regular_exclude_lists': [], 'regular_exclude_ignore': True,
        'regular_include_lists': [], 'scrub_nondigest': False,
        'next_request_id': 1, 'hold_and_cmd_autoresponses': {},
        # membership
        'members': {}, 'digest_members': {}, 'passwords': {}, 'language': {},
        'usernames': {}, 'user_options': {}, 'topics_userinterest': {},
        'one_last_digest': {}, 'new_member_options': NO_DUPLICATES,
        'subscribe_policy': 1, 'subscribe_auto_approval': [],
        'unsubscribe_policy': 0, 'private_roster': 1, 'ban_list': [],
        # posting
        'emergency': 0, 'administrivia': True, 'respond_to_post_requests': True,
        'require_explicit_destination': 1, 'acceptable_aliases': '\n',
        'bounce_matching_headers': '', 'header_filter_rules': [],
        'default_member_moderation': False, 'member_moderation_action': 0,
        'member_moderation_notice': '', 'generic_nonmember_action': HOLD,
        'nonmember_rejection_notice': '', 'accept_these_nonmembers': [],
        'hold_these_nonmembers': [], 'reject_these_nonmembers': [],
        'discard_these_nonmembers': [], 'forward_auto_discards': True,
        'equivalent_domains': '', 'member_verbosity_threshold': 0,
        'member_verbosity_interval': 300, 'dmarc_moderation_action': 0,
        'dmarc_quarantine_moderation_action': True,
        'dmarc_none_moderation_action': False, 'dmarc_moderation_notice': '',
        'dmarc_moderation_addresses': [], 'dmarc_wrapped_message_text': '',
        # content filter
        'filter_content': False, 'filter_action': 0, 'filter_mime_types': [],
        'pass_mime_types': ['multipart', 'text/plain'],
        'filter_filename_extensions': ['exe', 'bat'],
        'pass_filename_extensions': [], 'collapse_alternatives': True,
        'convert_html_to_plaintext': True,
        # digests, archive, news, topics
        'digestable': True, 'nondigestable': True, 'digest_is_default': False,
        'mime_is_default_digest': False, 'digest_size_threshhold': 30,
        'digest_header': '', 'digest_footer': 'footer',
        'digest_send_periodic': True, 'next_digest_number': 1,
        'digest_volume_frequency': 1, 'digest_last_sent_at': 0,
        'archive': True, 'archive_private': 0, 'archive_volume_frequency': 1,
        'nntp_host': '', 'linked_newsgroup': '', 'gateway_to_news': 0,
        'gateway_to_mail': 0, 'news_moderation': 0,
        'news_prefix_subject_too': 1, 'topics': [], 'topics_enabled': 0,
        'topics_bodylines_limit': 5,
        # autoresponder
        'autorespond_postings': 0, 'autorespond_admin': 0,
        'autorespond_requests': 0, 'autoresponse_postings_text': '',
        'autoresponse_admin_text': '', 'autoresponse_request_text': '',
        'autoresponse_graceperiod': 90, 'postings_responses': {},
        'admin_responses': {}, 'request_responses': {},
        # bounces
        'bounce_processing': True, 'bounce_score_threshold': 5.0,
        'bounce_info_stale_after': 604800,
        'bounce_you_are_disabled_warnings': 3,
        'bounce_you_are_disabled_warnings_interval': 604800,
        'bounce_unrecognized_goes_to_list_owner': True,
        'bounce_notify_owner_on_bounce_increment': False,
        'bounce_notify_owner_on_disable': True,
        'bounce_notify_owner_on_removal': True,
        'bounce_info': {}, 'delivery_status': {},
    }


def subscribe(settings, address, options=NO_DUPLICATES, digest=False,
              name='Some One', password='secret'):
    """Adds a member as OldStyleMemberships does: lower-case key, 0 or the
    address as it was given."""
    key = address.lower()
    table = settings['digest_members' if digest else 'members']
    table[key] = 0 if key == address else address
    settings['user_options'][key] = options
    settings['passwords'][key] = password
    settings['usernames'][key] = name
    settings['language'][key] = 'en'


def bounced(address, score, cookie=None):
    info = BounceInfo()
    info.member = address
    info.cookie = cookie
    info.score = score
    info.date = (2021, 5, 4)
    info.noticesleft = 3
    info.lastnotice = LAST_NOTICE_NEVER
    return info


TEAM_NOTICE = '''\
This list is for the members of the team only.
If you think that
you should be able to post, write to %(listowner)s.

    * Please do not write to the members one by one.
    * There is a public list, announce@lists.example.org.

Sorry, and thank you for your interest in the work of the team, which is \
described at https://example.org/team.
'''


def make_team(name='team', host=HOST):
    s = stock(name, host)
    subscribe(s, 'alice@example.org', name='Alice')
    subscribe(s, 'bob@example.org', NO_DUPLICATES | MODERATE, name='Bob')
    subscribe(s, 'Carol@Example.ORG', name='Carol')
    subscribe(s, 'dave@example.org', digest=True, name='Dave')
    subscribe(s, 'erin@example.org', name='Erin')
    s['delivery_status']['erin@example.org'] = (BY_USER, CREATED_AT)
    s['generic_nonmember_action'] = REJECT
    s['nonmember_rejection_notice'] = TEAM_NOTICE
    s['member_moderation_action'] = 1
    s['member_moderation_notice'] = \
        'Your posts to this list are moderated.\nPlease wait a while.'
    return s


def rejecting(name, notice='', **more):
    """A list with one member that rejects strangers."""
    s = stock(name)
    subscribe(s, 'alice@example.org')
    s['generic_nonmember_action'] = REJECT
    s['nonmember_rejection_notice'] = notice
    s.update(more)
    return s


def with_action(name, action):
    return rejecting(name, generic_nonmember_action=action)


def make_guarded():
    return rejecting('guarded', subscribe_policy=3,
                     ban_list=['mallory@example.net', '^.*@spam\\.example$', '^(unclosed'])


def make_empty():
    s = stock('empty')
    s['generic_nonmember_action'] = REJECT
    return s


def make_bouncing(name='bouncing'):
    s = make_team(name)
    info = s['bounce_info']
    info['alice@example.org'] = bounced('alice@example.org', 1.0)
    info['carol@example.org'] = bounced('carol@example.org', 2.5, 'a1' * 20)
    info['dave@example.org'] = bounced('dave@example.org', 5.0)
    s['delivery_status']['dave@example.org'] = (BY_BOUNCE, CREATED_AT)
    return s


def make_umlaut():
    notice = ('Nur für Mitglieder der Liste “Bücher”.\nBitte wenden Sie sich '
              'an %(listowner)s – auf Wiedersehen.')
    return rejecting('umlaut', notice, preferred_language='de',
                     available_languages=['en', 'de'])


def make_latin():
    s = rejecting('latin', 'R\xe9serv\xe9 aux membres.\n\n'
                  'Contact\xa0: %(listowner)s')
    s['real_name'] = 'Lat\xefn'
    s['description'] = 'fran\xe7ais'
    s['usernames']['alice@example.org'] = 'Al\xefce'
    subscribe(s, 'jos\xe9@example.org', name='Jos\xe9')
    return s


def make_long():
    line = 'Paragraph %03d of a long notice,\twith \x07\x1b[1mcontrols\x7f\r\n'
    text = ''
    while len(text) < 20000:
        text += line % (len(text) // 100) + 'and a second line.\x00\x0b\x0c\n\n'
    return rejecting('long', text + '\r\r\nlast')


def make_patterns():
    s = rejecting('patterns')
    s['accept_these_nonmembers'] = [
        'friend@example.net', ' Padded@Example.NET ', '', ' ^literal@x', '@team',
        '@nosuch', '@patterns', '@../team', '@', '^.*@sub\\.example\\.net$',
        '^[unclosed', '^(?P<n>a)(?P=n)@example\\.net$', '^caf\xe9@']
    s['hold_these_nonmembers'] = ['wait@example.net', '^(a+)+b@example\\.net$']
    s['reject_these_nonmembers'] = ['no@example.net', '^*bad', '^no\\.']
    s['discard_these_nonmembers'] = ['^(\\w+\\s?)*\\.spam@', 'away@example.net',
                                     '@TEAM ', '^(?i)spam', '^[[:alpha:]]+x@']
    return s


def make_equiv():
    domains = ('example.org, Example.NET;\n'
               'students.example.edu,dept.example.edu , ;;solo.example;'
               'example.org,never.example')
    s = rejecting('equiv', equivalent_domains=domains)
    subscribe(s, 'kim@dept.example.edu')
    subscribe(s, 'Lee@example.net', NO_DUPLICATES | MODERATE)
    return s


def make_shared():
    """References shared the way an edited list shares them; kept shared."""
    s = fresh(rejecting('shared'))
    address = fresh('shared@example.org')
    other = fresh('other@example.net')
    both = [other, address]
    notice = fresh('The same text for everybody. Ask %(listowner)s.')
    for table in ('members', 'user_options'):
        s[table][address] = 0
    s['passwords'][address] = s['usernames'][address] = address
    s['members'][other] = other
    s['accept_these_nonmembers'] = s['hold_these_nonmembers'] = both
    s['discard_these_nonmembers'] = [address, other, both[0]]
    s['nonmember_rejection_notice'] = s['member_moderation_notice'] = notice
    s['description'] = s['info'] = notice
    return s


# What a list of data version 97 lacks (Mailman/versions.py, NewVars).
AFTER_VERSION_97 = [
    'nonmember_rejection_notice', 'max_days_to_hold', 'equivalent_domains',
    'collapse_alternatives', 'filter_filename_extensions', 'from_is_list',
    'pass_filename_extensions', 'scrub_nondigest', 'header_filter_rules',
    'regular_exclude_lists', 'regular_include_lists', 'regular_exclude_ignore',
    'subscribe_auto_approval', 'member_verbosity_threshold', 'post_password',
    'member_verbosity_interval', 'dmarc_moderation_action', 'drop_cc',
    'dmarc_quarantine_moderation_action', 'dmarc_none_moderation_action',
    'dmarc_moderation_notice', 'dmarc_moderation_addresses',
    'dmarc_wrapped_message_text', 'include_sender_header',
    'bounce_notify_owner_on_bounce_increment']


def make_old():
    s = make_team('old')
    for attribute in AFTER_VERSION_97:
        del s[attribute]
    s['data_version'] = 97
    return s


def make_older(name='older'):
    """A list of Mailman 2.0: its own policy settings, none of 2.1's."""
    s = make_team(name)
    for attribute in AFTER_VERSION_97 + [
            'generic_nonmember_action', 'member_moderation_action',
            'member_moderation_notice', 'default_member_moderation',
            'accept_these_nonmembers', 'hold_these_nonmembers',
            'reject_these_nonmembers', 'discard_these_nonmembers',
            'forward_auto_discards', 'usernames', 'language', 'ban_list',
            'delivery_status', 'preferred_language', 'mod_password',
            'moderator', 'emergency', 'news_moderation', 'subscribe_policy']:
        del s[attribute]
    s.update(data_version=21, moderated=0, member_posting_only=1,
             posters=['Poster@example.net', 'alice@example.org'],
             forbidden_posters=['banned@example.net', 'dave@example.org'],
             open_subscribe=0, bounce_info={'alice@example.org': [1, 2]})
    s['members'] = {'alice@example.org': 1, 'bob@example.org': 1}
    s['user_options'] = {'Bob@Example.Org': 8, 'gone@example.org': 4}
    return s


def make_oldest():
    """Before the keys were lower case: Mailman fails to convert it."""
    s = make_older('oldest')
    s['members'] = {'alice@example.org': 1, 'Bob@Example.Org': 1}
    return s


def make_missing():
    s = make_team('missing')
    del s['generic_nonmember_action']
    del s['member_moderation_notice']
    return s


def make_types():
    s = make_team('types')
    s['generic_nonmember_action'] = long(2)
    s['member_moderation_action'] = True
    s['user_options']['bob@example.org'] = long(MODERATE)
    s['user_options']['alice@example.org'] = True
    s['members']['alice@example.org'] = 1
    s['accept_these_nonmembers'] = 'friend@example.net'
    s['hold_these_nonmembers'] = [u'wait@example.net', u'caf\xe9@example.net',
                                  u'^wait\\.']
    s['reject_these_nonmembers'] = ('no@example.net', '^no\\.')
    s['usernames']['alice@example.org'] = u'Al\xefce'
    s['nonmember_rejection_notice'] = u'Plain text, %(listowner)s.'
    return s


def make_pipeline():
    s = make_team('pipeline')
    s['pipeline'] = ['SpamDetect', 'Approve', 'Hold', 'CookHeaders', 'ToOutgoing']
    return s


def make_py3():
    s = make_team('py3')
    subscribe(s, 'jos\xe9@b\xfccher.example', name='Jos\xe9 \u2013 “J”')
    return s


PERCENT_SURE = 'We are 100% sure. Ask %(listowner)s.'
PERCENT_D = 'Up to 50%d off. Ask %(listowner)s.'
PERCENT_FINE = 'Over 50%% of posts, %(nosuch)s, %(listowner)s.'


def percent(name, for_strangers, for_members):
    s = rejecting(name, for_strangers, member_moderation_action=1,
                  member_moderation_notice=for_members)
    subscribe(s, 'bob@example.org', MODERATE)
    return s


def at_corrupt():
    return rejecting('atcorrupt', accept_these_nonmembers=['@corrupt'])


# Directory -> (maker, pickle protocol).
FOR_PYTHON2 = {
    'team': (make_team, 1),
    'announce': (lambda: rejecting('announce'), 1),
    'open': (lambda: with_action('open', ACCEPT), 1),
    'held': (lambda: with_action('held', HOLD), 1),
    'guarded': (make_guarded, 1),
    'dropped': (lambda: with_action('dropped', DISCARD), 1),
    'accept4': (lambda: with_action('accept4', ACCEPT_TOO), 1),
    'empty': (make_empty, 1),
    'bouncing': (make_bouncing, 1),
    'umlaut': (make_umlaut, 1),
    'latin': (make_latin, 1),
    'status': (lambda: rejecting('status', '550 5.7.1 No'), 1),
    'long': (make_long, 1),
    'percent': (lambda: percent('percent', PERCENT_SURE, PERCENT_D), 1),
    'percentd': (lambda: percent('percentd', PERCENT_D, PERCENT_FINE), 1),
    'percentok': (lambda: percent('percentok', PERCENT_FINE, PERCENT_SURE), 1),
    'patterns': (make_patterns, 1),
    'overflow': (lambda: rejecting(
        'overflow', hold_these_nonmembers=['^a{99999999999}']), 1),
    'atcorrupt': (at_corrupt, 1),
    'equiv': (make_equiv, 1),
    'shared': (make_shared, 1),
    'old': (make_old, 1),
    'older': (make_older, 1),
    'oldest': (make_oldest, 1),
    'missing': (make_missing, 1),
    'types': (make_types, 1),
    'badtypes': (lambda: rejecting('badtypes', generic_nonmember_action='2',
                                   accept_these_nonmembers=None), 1),
    'badaction': (lambda: rejecting('badaction',
                                    generic_nonmember_action='2'), 1),
    'fallback': (lambda: make_team('fallback'), 1),
    'team-owner': (lambda: make_team('team-owner'), 1),
    'proto0': (lambda: make_team('proto0'), 0),
    'proto2': (lambda: make_team('proto2'), 2),
    'club_lists.example.com': (
        lambda: make_team('club_lists.example.com', 'lists.example.com'), 1),
    'club_lists.example.net': (
        lambda: make_team('club_lists.example.net', 'lists.example.net'), 1),
    'extended': (lambda: make_team('extended'), 1),
    'pipeline': (make_pipeline, 1),
}
FOR_PYTHON3 = {
    'py3': (make_py3, 1),
    'py3bouncing': (lambda: make_bouncing('py3bouncing'), 1),
    'proto4': (lambda: make_team('proto4'), 4),
}
# Lists whose sharing is the point.
AS_BUILT = ['shared']


def write(path, data):
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        os.makedirs(folder)
    with open(path, 'wb') as out:
        out.write(data)


def write_list(folder, name, settings, protocol):
    data = pickle.dumps(settings, protocol)
    path = os.path.join(folder, name, 'config.pck')
    if name == 'fallback':
        write(path, data[:len(data) // 2])
        path += '.last'
    write(path, data)


def write_specials(folder):
    """The lists that are no pickle at all."""
    garbage = b'\x80\x63garbage\x00' + bytes(bytearray(range(256)))
    write(os.path.join(folder, 'corrupt', 'config.pck'), garbage)
    write(os.path.join(folder, 'marshal', 'config.db'),
          marshal.dumps(make_team('marshal'), 0))
    write(os.path.join(folder, 'extended', 'extend.py'),
          b'# A list with code of its own; this one does nothing.\n')


def plain(value):
    """Instances as their attributes, so that values compare."""
    if isinstance(value, BounceInfo):
        return ('_BounceInfo', vars(value))
    if isinstance(value, dict):
        return dict((k, plain(v)) for k, v in value.items())
    return value


def check_list(folder, name, settings, _protocol):
    path = os.path.join(folder, name, 'config.pck')
    if name == 'fallback':
        check_refused(path)
        path += '.last'
    with open(path, 'rb') as source:
        loaded = pickle.load(source)
    if plain(loaded) != plain(settings):
        raise SystemExit('%s: differs from what would be written' % path)


def check_refused(path):
    with open(path, 'rb') as source:
        try:
            pickle.load(source)
        except Exception:
            return
    raise SystemExit('%s: loads, and should not' % path)


def check_specials(folder):
    check_refused(os.path.join(folder, 'corrupt', 'config.pck'))
    with open(os.path.join(folder, 'marshal', 'config.db'), 'rb') as source:
        if marshal.load(source) != make_team('marshal'):
            raise SystemExit('marshal: differs from what would be written')


def main(arguments):
    checking = '--check' in arguments
    folders = [a for a in arguments if a != '--check']
    folder = folders[0] if folders else LISTS_DIR
    lists = FOR_PYTHON2 if PYTHON2 else FOR_PYTHON3
    each = check_list if checking else write_list
    for name in sorted(lists):
        maker, protocol = lists[name]
        settings = maker()
        if name not in AS_BUILT:
            settings = fresh(settings)
        each(folder, name, settings, protocol)
    if PYTHON2:
        (check_specials if checking else write_specials)(folder)
    print('%s: %d lists' % ('checked' if checking else 'written', len(lists)))


if __name__ == '__main__':
    main(sys.argv[1:])
