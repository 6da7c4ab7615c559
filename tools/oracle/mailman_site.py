# -*- coding: utf-8 -*-
"""A private Mailman: a source tree made importable in a scratch directory.

Runs under Python 2.7 (Mailman 2.1.39) and Python 3 (the port, 2.2.0). The
source tree is only read. What configure and make would do is done here: the
@NAME@ placeholders of the *.in files are filled in, the message catalogues
compiled, and the directories that a running Mailman needs are made.
"""

from __future__ import print_function

import os
import re
import shutil
import subprocess
import sys

RUN_DIRS = ['archives/private', 'archives/public', 'data', 'lists', 'locks',
            'logs', 'qfiles', 'spam']
QUEUES = ['in', 'out', 'commands', 'bounces', 'news', 'archive', 'shunt',
          'virgin', 'bad', 'retry', 'maildir']

# Tables of other sites were made by a Mailman installed elsewhere; the
# directories are this one's whatever the mm_cfg.py in force says. The converter
# of HTML only changes the text of messages that no handler disposed of.
CONFIG_TAIL = '''
import os as _os
PREFIX = EXEC_PREFIX = VAR_PREFIX = %(prefix)r
LIST_DATA_DIR = _os.path.join(VAR_PREFIX, 'lists')
HTML_TO_PLAIN_TEXT_COMMAND = '/bin/cat %%(filename)s'
'''


def substitutions(prefix):
    return {
        'prefix': prefix, 'exec_prefix': prefix, 'VAR_PREFIX': prefix,
        'PYTHON': sys.executable, 'CGIEXT': '', 'MAILHOST': 'lists.example.org',
        'URLHOST': 'lists.example.org', 'MAILMAN_USER': 'list',
        'MAILMAN_GROUP': 'list',
    }


def fill_in(path, values):
    """Writes `path` without its `.in`, the placeholders replaced."""
    with open(path, 'rb') as source:
        text = source.read().decode('latin-1')

    def value_of(found):
        return values.get(found.group(1), found.group(0))

    text = re.sub(r'@(\w+)@', value_of, text)
    with open(path[:-len('.in')], 'wb') as target:
        target.write(text.encode('latin-1'))


def fill_in_all(folder, values):
    for where, _dirs, files in os.walk(folder):
        for name in files:
            if name.endswith('.in') and name != 'Makefile.in':
                fill_in(os.path.join(where, name), values)


def compile_catalogues(folder):
    """Compiles every mailman.po with GNU msgfmt; without it Mailman speaks
    English everywhere, which only concerns texts that the tables leave out."""
    for language in sorted(os.listdir(folder)):
        source = os.path.join(folder, language, 'LC_MESSAGES', 'mailman.po')
        if os.path.exists(source):
            with open(os.devnull, 'w') as nowhere:
                subprocess.call(['msgfmt', '-o', source[:-len('po')] + 'mo',
                                 source], stderr=nowhere)


def install(source, prefix):
    """Makes `prefix` a Mailman installation unless it is one already."""
    if os.path.exists(os.path.join(prefix, 'Mailman', 'Defaults.py')):
        return
    for part in ('Mailman', 'messages', 'templates'):
        shutil.copytree(os.path.join(source, part), os.path.join(prefix, part))
    fill_in_all(os.path.join(prefix, 'Mailman'), substitutions(prefix))
    compile_catalogues(os.path.join(prefix, 'messages'))
    for folder in RUN_DIRS + ['qfiles/' + queue for queue in QUEUES]:
        os.makedirs(os.path.join(prefix, folder))


def configure(prefix, mm_cfg):
    """Puts the text of a site's mm_cfg.py in force (before start())."""
    path = os.path.join(prefix, 'Mailman', 'mm_cfg.py')
    text = mm_cfg.replace('from Defaults import', 'from Mailman.Defaults import')
    with open(path, 'w') as target:
        target.write(text + CONFIG_TAIL % {'prefix': prefix})
    for stale in (path + 'c', path + 'o'):
        if os.path.exists(stale):
            os.remove(stale)


def use_lists(prefix, lists):
    """Copies a lists directory in; Mailman writes into its lists."""
    target = os.path.join(prefix, 'lists')
    shutil.rmtree(target, True)
    shutil.copytree(lists, target)
    for where, _dirs, files in os.walk(target):
        os.chmod(where, 0o770)
        for name in files:
            os.chmod(os.path.join(where, name), 0o660)


class NoQueue(object):
    """Takes the mails Mailman writes itself and drops them."""

    def enqueue(self, message, _metadata=None, **_keywords):
        import pickle
        pickle.dumps(message, 1)


def start(prefix):
    """Makes `import Mailman` find the installation; mails go nowhere."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, prefix)
    import Mailman.Queue.sbcache
    Mailman.Queue.sbcache.get_switchboard = lambda _folder: NoQueue()
