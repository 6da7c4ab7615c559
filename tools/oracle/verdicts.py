#!/usr/bin/env python
# -*- coding: utf-8 -*-
"""Judges cases read from standard input, one JSON object per line.

    verdicts.py MAILMAN_SOURCE SCRATCH LISTS_DIR [MM_CFG] < CASES > TABLE

A case has `list`, `from`, `envelope_from`, `reply_to`, `sender`. Cases whose
notice holds a dump of Mailman's variables are left out: it never repeats.
"""

from __future__ import print_function

import json
import os
import sys

import mailman_site


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    prefix = os.path.abspath(arguments[1])
    settings = 'from Defaults import *\n'
    if len(arguments) > 3:
        with open(arguments[3]) as source:
            settings = source.read()
    mailman_site.install(arguments[0], prefix)
    mailman_site.configure(prefix, settings)
    mailman_site.use_lists(prefix, os.path.abspath(arguments[2]))
    mailman_site.start(prefix)
    import judge
    for line in sys.stdin:
        case = json.loads(line)
        judged = judge.judge(str(case.pop('list')), case, prefix)
        if not judge.unrepeatable(judged, prefix):
            print(json.dumps(judged, sort_keys=True))


if __name__ == '__main__':
    main(sys.argv[1:])
