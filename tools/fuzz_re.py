#!/usr/bin/env python3
"""Random patterns and subjects: does python::re answer as Python does?

    tools/fuzz_re.py N [--python3] [--text] [--flags imu] [--seed S] [--simple]
                       [--python PATH] [--answers PATH]

Python 2.7 with byte strings and IGNORECASE by default; `--text` is unicode, `--python3` Python
3.11 (always text unless `--bytes`). Each of N patterns is searched in ten subjects. Prints every
difference and the counts; exit status 1 if there was any difference. Python itself is stopped
after a fifth of a second a search; such searches are counted, not compared.
Build the other side with `cargo build --release --example re_answers`.
"""
from __future__ import print_function

import argparse
import json
import os
import random
import subprocess
import sys

SUBJECTS = 10
ALPHABET_ASCII = list('aabbcABkKsSiI01_-@. \n')
BYTES_POINTS = (0xe4, 0xc4, 0xff, 0, 0x1c, 0x85, 0xb5)
TEXT_POINTS = (
    0xe4, 0xc4, 0xb5, 0x3bc, 0x39c, 0x17f, 0x130, 0x131, 0x212a, 0x1c5, 0x1c4, 0x1c6, 0x345, 0x399,
    0x3b9, 0x1fbe, 0x3c2, 0x3c3, 0x3a3, 0xdf, 0x1e9e, 0x10400, 0x10428, 0x1d400, 0x118a0, 0x118c0,
    0x1f600, 0xffff, 0x661, 0xb2, 0x2028, 0x1c, 0x85, 0xa0, 0x301, 0x432, 0x1c80, 0xfb05, 0xfb06,
    0x13a0, 0xab70, 0x1e921, 0x1e943, 0x390, 0x1fd3, 0x10ffff)


def oracle():
    """Answers questions as re_answers does, by this interpreter's own re."""
    import re
    import signal
    import warnings
    warnings.simplefilter('ignore')
    python2 = sys.version_info[0] == 2

    class TooLong(Exception):
        pass

    def stop(*_):
        raise TooLong

    signal.signal(signal.SIGALRM, stop)

    def string(points, text):
        if text:
            return u''.join(map(unichr if python2 else chr, points))  # noqa: F821
        return bytes(bytearray(points))

    for line in iter(sys.stdin.readline, ''):
        question = json.loads(line)
        flags = sum(getattr(re, flag.upper()) for flag in question['flags'])
        reply = {'compile': 'ok', 'answers': ''}
        re.purge()
        try:
            pattern = re.compile(string(question['pattern'], question['text']), flags)
        except re.error:
            reply['compile'] = 'invalid'
        except Exception:
            reply['compile'] = 'crash'
        else:
            for subject in question['subjects']:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.2)
                    found = pattern.search(string(subject, question['text']))
                    signal.setitimer(signal.ITIMER_REAL, 0)
                    reply['answers'] += 'M' if found else 'N'
                except TooLong:
                    reply['answers'] += 'O'
                except (RuntimeError, SystemError):
                    reply['answers'] += 'E'
                signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps(reply))
        sys.stdout.flush()


class Generator(object):
    """Random patterns that are often valid and never far from it."""

    def __init__(self, rng, args):
        self.rng, self.args = rng, args
        others = TEXT_POINTS if args.text else BYTES_POINTS
        self.alphabet = ALPHABET_ASCII * 3 + [chr(c) for c in others]
        self.groups = 0

    def pattern(self):
        self.groups = 0
        rng = self.rng
        if rng.random() < 0.03:
            return self.noise()
        flags = ''
        if rng.random() < 0.08:
            flags = '(?%s)' % ''.join(rng.sample('imsxLuta', rng.randint(1, 2)))
        text = flags + self.alternation(rng.randint(1, 3))
        if rng.random() < 0.05:
            text = self.mutated(text)
        return text

    def noise(self):
        chars = '()[]{}?*+|^$\\.:=!<>P#-,' + 'abdDwWsSbBAZxNuU019i' + 'a1'
        return ''.join(self.rng.choice(chars) for _ in range(self.rng.randint(1, 12)))

    def mutated(self, text):
        rng = self.rng
        at = rng.randint(0, len(text))
        if rng.random() < 0.5:
            return text[:at] + text[at + rng.randint(1, 3):]
        return text[:at] + rng.choice('()[]{}?*+|^$\\') + text[at:]

    def alternation(self, depth):
        count = self.rng.choice((1, 1, 1, 2, 2, 3))
        return '|'.join(self.sequence(depth) for _ in range(count))

    def sequence(self, depth):
        return ''.join(self.quantified(depth) for _ in range(self.rng.choice((0, 1, 1, 2, 2, 3, 4))))

    def quantified(self, depth):
        rng = self.rng
        item = self.item(depth)
        if rng.random() < 0.35 and item not in ('^', '$', '\\b', '\\B', '\\A', '\\Z'):
            item += rng.choice(('*', '+', '?', '{2}', '{0,2}', '{1,}', '{,2}', '{1,3}', '{0}', '{2,1}',
                                '{3}', '{12}', '{,}', '{}') if rng.random() < 0.98 else
                               ('{2,1}', '{4294967295}', '{4294967294}', '{a}', '**'))
            if rng.random() < 0.3:
                item += rng.choice('???+' if self.args.python3 else '????????+')
        return item

    def item(self, depth):
        rng = self.rng
        kind = rng.random()
        if depth <= 0 or kind < 0.45:
            return self.atom()
        if kind < 0.6:
            self.groups += 1
            name = rng.random()
            if name < 0.15:
                return '(?P<n%d>%s)' % (min(self.groups, 3), self.alternation(depth - 1))
            return '(%s)' % self.alternation(depth - 1)
        if kind < 0.7:
            return '(?:%s)' % self.alternation(depth - 1)
        if kind < 0.76:
            return '(?%s%s)' % (rng.choice(('=', '!')), self.alternation(depth - 1))
        if kind < 0.82:
            return '(?<%s%s)' % (rng.choice('=!'), self.sequence(min(depth - 1, 1)))
        if kind < 0.87:
            return '(?(%s)%s)' % (rng.choice(('1', '1', '1', '1', '2', '0', 'n1', '3', ' 1', '+1', '-1', '1_0')),
                                  '|'.join(self.sequence(depth - 1)
                                           for _ in range(rng.choice((1, 2, 2, 3)))))
        if kind < 0.93 and (self.groups or rng.random() < 0.1):
            return self.reference()
        if kind < (0.96 if self.args.python3 else 0.934):
            return rng.choice(('(?#x)', '(?>%s)', '(?>%s)', '(?i:%s)', '(?-i:%s)', '(?a:%s)', '(?u:%s)',
                               '(?s-i:%s)', '(?m:%s)', '(?x: %s )', '(?i)', '(?L:%s)', '(?-:%s)', '(?i-i:%s)')
                              ).replace('%s', self.alternation(depth - 1))
        return self.atom()

    def reference(self):
        rng = self.rng
        if rng.random() < 0.2:
            return '(?P=n%d)' % rng.randint(1, 3)
        return '\\%d' % rng.choice((1, 1, rng.randint(1, self.groups or 1), self.groups, 10))

    def atom(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.5:
            char = rng.choice(self.alphabet)
            return '\\' + char if char in '.' and rng.random() < 0.5 else char
        if kind < 0.65:
            return self.set()
        if kind < 0.75:
            return '.'
        if kind < 0.85:
            return rng.choice(('^', '$', '\\b', '\\B', '\\A', '\\Z'))
        if kind < 0.95:
            return rng.choice(('\\d', '\\D', '\\s', '\\S', '\\w', '\\W'))
        return self.escape() if rng.random() < 0.5 else rng.choice(self.alphabet)

    def escape(self):
        rng = self.rng
        escape = rng.choice(('\\n', '\\x41', '\\x', '\\101', '\\0', '\\07', '\\400', '\\8', '\\18', '\\e', '\\@',
                             '\\u0041', '\\U00010400', '\\U00110000', '\\u12', '\\Q', '\\-', '\\xe4', '\\xC4'))
        return escape

    def set(self):
        rng = self.rng
        body = ''
        for _ in range(rng.randint(1, 4)):
            kind = rng.random()
            if kind < 0.55:
                body += rng.choice(self.alphabet)
            elif kind < 0.8:
                low, high = sorted((rng.choice(self.alphabet), rng.choice(self.alphabet)))
                if rng.random() < 0.05:
                    low, high = high, low
                body += '%s-%s' % (low, high)
            elif kind < 0.95:
                body += rng.choice(('\\d', '\\D', '\\s', '\\S', '\\w', '\\W'))
            else:
                body += rng.choice(('-', ']', '^', '[', '\\b', '\\101', '&&', '--', '\\-', '\\q', '\\8', '\\x41'))
        return '[%s%s]' % ('^' if rng.random() < 0.25 else '', body)

    def subject(self):
        rng = self.rng
        length = rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 12))
        letters = self.alphabet if rng.random() < 0.6 else list('aabb\n')
        return ''.join(rng.choice(letters) for _ in range(length))


class Worker(object):
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, questions):
        """Answers in order. Questions are written by a child so that no pipe fills up."""
        data = ''.join(json.dumps(q) + '\n' for q in questions).encode()
        if os.fork() == 0:
            self.process.stdin.write(data)
            self.process.stdin.flush()
            os._exit(0)
        answers = [json.loads(self.process.stdout.readline()) for _ in questions]
        os.wait()
        return answers


def points(text):
    return [ord(c) for c in text]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('count', type=int)
    parser.add_argument('--python3', action='store_true')
    parser.add_argument('--text', action='store_true')
    parser.add_argument('--bytes', action='store_true')
    parser.add_argument('--flags', default='i')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--python')
    parser.add_argument('--answers', default=os.path.join(
        os.environ.get('CARGO_TARGET_DIR', 'target'), 'release/examples/re_answers'))
    args = parser.parse_args()
    args.text = (args.text or args.python3) and not args.bytes
    python = args.python or ('python3.11' if args.python3 else 'python2.7')
    theirs, ours = Worker([python, os.path.abspath(__file__), 'oracle']), Worker([args.answers])
    generator = Generator(random.Random(args.seed), args)
    counts = dict.fromkeys(('patterns', 'invalid', 'crash', 'valid', 'searches', 'matches', 'exceptions',
                            'by automaton', 'python too long', 'over budget', 'by nobody', 'differences'), 0)
    while counts['patterns'] < args.count:
        questions = [{
            'pattern': points(generator.pattern()),
            'subjects': [points(generator.subject()) for _ in range(SUBJECTS)],
            'flags': args.flags, 'text': args.text, 'python': 3 if args.python3 else 2,
        } for _ in range(min(500, args.count - counts['patterns']))]
        for question, right, got in zip(questions, theirs.ask(questions), ours.ask(questions)):
            compare(question, right, got, counts)
    print(', '.join('%s %d' % item for item in counts.items()))
    return 1 if counts['differences'] else 0


def compare(question, right, got, counts):
    counts['patterns'] += 1
    shown = ''.join(map(chr, question['pattern']))
    if right['compile'] != got['compile']:
        counts['differences'] += 1
        print('compile %a: python %s, we %s' % (shown, right['compile'], got['compile']))
        return
    counts['valid' if right['compile'] == 'ok' else right['compile']] += 1
    for subject, a, b, c in zip(
            question['subjects'], right['answers'], got['answers'], got['automaton']):
        counts['searches'] += 1
        counts['matches'] += a == 'M'
        counts['exceptions'] += a == 'E'
        counts['python too long'] += a == 'O'
        counts['over budget'] += b == 'O'
        counts['by automaton'] += c in 'MN'
        counts['by nobody'] += a == 'O' and b == 'O'
        if a != 'E' and len({a, b, c} & set('MNE')) > 1 or a == 'E' and b in 'MN':
            counts['differences'] += 1
            print('search %a in %a: python %s, we %s, automaton %s' % (
                shown, ''.join(map(chr, subject)), a, b, c))


if __name__ == '__main__':
    if sys.argv[1:] == ['oracle']:
        oracle()
    else:
        sys.exit(main())
