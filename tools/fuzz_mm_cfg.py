#!/usr/bin/env python3
"""Random mm_cfg.py files, judged by Python really running them.

    tools/fuzz_mm_cfg.py N [--python3] [--seed S] [--python PATH]

Each file is run by Python 2.7 (or, with --python3, 3.11) with a stub of Mailman's Defaults.py,
and read by examples/mm_cfg_answers. Whatever ours calls known must be what Python has in the end,
type and all, and what it calls absent must be as in Defaults. Unknown is always allowed, and
counted. Files that Python refuses or that raise are counted and not compared.
"""
import argparse
import json
import os
import random
import subprocess
import sys

JUDGE = r"""
from __future__ import print_function
import json, os, struct, sys, tempfile, types
two = sys.version_info[0] == 2
text_type = type(u'')
long_type = eval('long') if two else int
stub = types.ModuleType('Defaults')
exec(open(sys.argv[1]).read(), stub.__dict__)
pristine = open(sys.argv[1]).read()
other = types.ModuleType('other')
def fresh():
    stub.__dict__.clear()
    exec(compile(pristine, 'Defaults.py', 'exec'), stub.__dict__)
    sys.modules['Defaults'] = stub
    mailman = types.ModuleType('Mailman')
    mailman.Defaults = stub
    mailman.__path__ = []
    sys.modules['Mailman'] = mailman
    sys.modules['Mailman.Defaults'] = stub
    other.__dict__.clear()
    other.A = 'other'
    other.X3 = ['other']
    sys.modules['other'] = other
def dump(v):
    if isinstance(v, text_type): return ['text', v]
    if v is None: return ['none', None]
    if v is True or v is False: return ['bool', v]
    if isinstance(v, (int, long_type)): return ['int', str(v)]
    if isinstance(v, float): return ['float', '%x' % struct.unpack('>Q', struct.pack('>d', v))[0]]
    if isinstance(v, bytes): return ['bytes', v.decode('latin-1')]
    if type(v) is list: return ['list', [dump(x) for x in v]]
    if type(v) is tuple: return ['tuple', [dump(x) for x in v]]
    if type(v) is dict: return ['dict', [[dump(k), dump(x)] for k, x in v.items()]]
    return ['other', repr(type(v))]
null = open(os.devnull, 'w')
out = sys.stdout
path = os.path.join(tempfile.mkdtemp(), 'mm_cfg.py')
for line in sys.stdin:
    question = json.loads(line)
    fresh()
    with open(path, 'wb') as f:
        f.write(question['source'].encode('latin-1'))
    module = types.ModuleType('mm_cfg')
    try:
        sys.stdout = sys.stderr = null
        if two:
            execfile(path, module.__dict__)
        else:
            with open(path, 'rb') as f:
                exec(compile(f.read(), path, 'exec'), module.__dict__)
        sys.stdout = out
        answer = []
        for name in question['names']:
            try:
                answer.append(dump(module.__dict__[name]) if name in module.__dict__ else None)
            except RuntimeError:
                answer.append(['other', 'recursive'])
    except SyntaxError as e:
        answer = {'refused': str(e)}
    except Exception as e:
        answer = {'raised': repr(e)}
    sys.stdout = out
    print(json.dumps(answer))
"""

STUB = r"""
import os
def seconds(s): return s
def minutes(m): return m * 60
def hours(h): return h * 60 * 60
def days(d): return d * 60 * 60 * 24
Yes = yes = On = on = True
No = no = Off = off = False
VIRTUAL_HOSTS = {}
LC_DESCRIPTIONS = {}
def add_virtualhost(urlhost, emailhost=None):
    VIRTUAL_HOSTS[urlhost] = emailhost
def add_language(code, *rest):
    LC_DESCRIPTIONS[code] = rest
USE_ENVELOPE_SENDER = No
SENDER_HEADERS = ('from', None, 'reply-to', 'sender')
KNOWN_SPAMMERS = []
GLOBAL_BAN_LIST = []
GLOBAL_PIPELINE = ['SpamDetect', 'Approve', 'Replybot', 'Moderate', 'Hold', 'MimeDel', 'Scrubber', 'Emergency', 'Tagger', 'CalcRecips',
    'AvoidDuplicates', 'Cleanse', 'CleanseDKIM', 'CookHeaders', 'ToDigest', 'ToArchive', 'ToUsenet', 'AfterDelivery', 'Acknowledge',
    'WrapMessage', 'ToOutgoing']
DEFAULT_URL_PATTERN = 'http://%s/mailman/'
DEFAULT_MAX_NUM_RECIPIENTS = 10
DEFAULT_PASS_MIME_TYPES = ['multipart', 'message/rfc822', 'application/pgp-signature', 'text/plain']
UNLISTED = ['a default that the table does not have']
"""

OWN = ["A", "B", "C", "X1", "X2", "X3"]
DEFAULTS = ["USE_ENVELOPE_SENDER", "SENDER_HEADERS", "KNOWN_SPAMMERS", "GLOBAL_BAN_LIST", "GLOBAL_PIPELINE",
            "DEFAULT_MAX_NUM_RECIPIENTS", "DEFAULT_PASS_MIME_TYPES", "VIRTUAL_HOSTS", "UNLISTED"]
CONSTANTS = ["Yes", "no", "On", "Off", "True", "False", "None"]
ASKED = OWN + DEFAULTS + ["True", "Yes", "on", "days", "f", "i", "e", "g", "DEFAULT_URL_PATTERN", "LC_DESCRIPTIONS"]


class Maker:
    """Makes one file. It guesses what kind of value each name has, so that most files run."""

    def __init__(self, rng, three):
        self.rng, self.three = rng, three
        self.kinds = {}
        self.encoded = rng.random() < 0.3
        self.latin = self.encoded and rng.random() < 0.4

    def pick(self, *choices):
        return self.rng.choice(choices)

    def names_of(self, kind):
        return [n for n, k in self.kinds.items() if k == kind]

    def space(self):
        return self.pick("", "", " ", "  ", "\t", " \\\n ")

    def inner(self):
        return self.pick("", "", "", " ", "\n", " # c, ' \" ) here\n  ", "\r\n")

    def body(self, quote):
        bits = ["a", "b c", "@", "%", "\\n", "\\t", "\\\\", "\\'", '\\"', "\\x41", "\\101", "\\0", "\\7z", "\\q", "\\\n", "#", "\\u0041", "{}", "()",
                "\\400", "\\xe9", "\\a", "\\N", "\\U0001F600", "'", '"', "\f"]
        if len(quote) == 3:
            bits += ["\n", "''", '""', "\r\n"]
        if self.encoded:
            bits += ["\xe9" if self.latin else "\xc3\xa9"]
        text = "".join(self.rng.choice(bits) for _ in range(self.rng.randint(0, 5)))
        if len(quote) == 1:
            text = text.replace(quote, "") if not text.replace("\\" + quote, "").count(quote) == 0 else text
        elif quote in text or text.endswith(quote[0]):
            text = text.replace(quote[0], "")
        trailing = len(text) - len(text.rstrip("\\"))
        return text + "\\" * (trailing % 2)

    def string(self):
        if self.rng.random() < 0.6:
            return repr(self.pick("a", "bc", "from", "a@b.org", "", "%s", "x y"))
        quote = self.pick("'", '"', "'''", '"""')
        prefix = self.pick("", "", "", "r", "R", "b", "u", "U", *(["rb", "f", "Br"] if self.three else ["ur", "bR", "uR"]))
        return prefix + quote + self.body(quote) + quote

    def number(self):
        r = self.rng
        return self.pick(str(r.randint(0, 300)), "0x%X" % r.randint(0, 999), "0o17", "0b101", "1.5", ".25", "2.", "1e3", "1E-2", "-3", "+ 4", "- -5", "~6",
                         "-True", "99999999999999999999", "9223372036854775807", "1j", *(["1_000", "00"] if self.three else ["0777", "10L", "0xFFl", "017"]))

    def value(self, kind, depth=0):
        r, three = self.rng, self.three
        held = self.names_of(kind)
        if held and r.random() < 0.3:
            return r.choice(held)
        deeper = depth < 3
        if kind == "int":
            if deeper and r.random() < 0.35:
                a, b = self.value("int", depth + 1), self.value("int", depth + 1)
                return self.pick("%s + %s", "(%s - %s)", "%s * %s", "%s %% (%s)", "%s | %s", "%s & %s", "%s ^ %s", "%s if %s else 3", "%s or %s", "%s // 7 + %s", "%s << 1 == %s", "%s<%s") % (a, b)
            if r.random() < 0.2:
                return self.pick("days(%d)", "hours(%d)", "minutes( %d )", "seconds(%d,)") % r.randint(0, 9)
            if r.random() < 0.15:
                return self.pick("not %s", "not not %s", "(%s,)[0]", "[%s, 2][-1]", "{1: %s}[1]") % self.value("int", depth + 1)
            return r.choice(CONSTANTS[:6]) if r.random() < 0.25 else self.number()
        if kind == "str":
            if deeper and r.random() < 0.35:
                a = self.value("str", depth + 1)
                return self.pick(
                    "%s + " + self.value("str", depth + 1).replace("%", "%%"), "%s * 2", "(%s" + self.inner().replace("%", "") + " 'x')", "'%%s-%%d' %% (%s, 3)", "'%%%%%%(k)s' %% {'k': %s}",
                    "%s.lower()", "%s[1:]", "'<%%s>' %% %s", "u'%%s' %% (%s,)", "','.join([%s])", "'%%5s' %% %s", "'%%r' %% %s", "'%%s' %% [%s]", "str(%s)") % a
            return self.space().join(self.string() for _ in range(self.pick(1, 1, 1, 2)))
        if kind in ("list", "tuple"):
            items = [self.value(self.pick("str", "str", "int", "list" if deeper else "str"), depth + 1) for _ in range(r.randint(0, 3))]
            if deeper and r.random() < 0.3:
                a, b = self.value(kind, depth + 1), self.value(kind, depth + 1)
                form = self.pick("%s + %s", "(%s) + %s", "%s * 2", "%s[:]", "[x for x in %s]", "%s(%%s)" % kind, "sorted(%s)", "GLOBAL_PIPELINE[:2] + list(%s)")
                return form % ((a, b) if form.count("%s") == 2 else a)
            inner = self.inner
            text = (inner() + "," + inner()).join(items)
            if kind == "list":
                return "[" + inner() + text + (self.pick("", ",") if items else "") + inner() + "]"
            return "(" + inner() + text + ("," if len(items) == 1 else "") + inner() + ")"
        if kind == "dict":
            items = ["%s: %s" % (self.value(self.pick("str", "int"), 3), self.value(self.pick("str", "int", "list"), 3)) for _ in range(r.randint(0, 3))]
            return "{" + self.inner() + ", ".join(items) + self.inner() + "}"
        return "None"

    def kind(self):
        return self.pick("int", "int", "str", "str", "list", "list", "tuple", "dict", "none")

    def target(self):
        return self.rng.choice(OWN + self.rng.sample(DEFAULTS, 3))

    def assignment(self):
        name, kind = self.target(), self.kind()
        eq = self.space() + "=" + self.space()
        roll = self.rng.random()
        if roll < 0.12:
            other = self.target()
            text = name + eq + other + eq + self.value(kind)
            self.kinds[other] = kind
        elif roll < 0.22:
            other, second = self.target(), self.kind()
            text = "%s, %s%s%s, %s" % (name, other, eq, self.value(kind), self.value(second))
            text = self.pick(text, "(" + text.replace(eq, ")" + eq, 1), text) if eq in text else text
            self.kinds[name] = kind
            kind, name = second, other
        else:
            text = name + eq + self.value(kind)
        self.kinds[name] = kind
        return text

    def mutation(self):
        lists = self.names_of("list")
        if not lists:
            return self.assignment()
        name, v = self.rng.choice(lists), self.value(self.pick("str", "int", "list"), 2)
        forms = ["%s.append(%s)", "%s.insert(0, %s)", "%s.insert(-1, %s)", "%s.extend([%s, 'x'])", "%s += [%s]", "%s += (%s,)", "%s[:] = [%s]", "%s[0:0] = [%s]",
                 "%s.append(%s).x if 0 else 0", "%s = [%s] + " + name, "%s *= 2 # %s", "%s.reverse() # %s", "%s.sort() # %s", "len(%s); %s", "%s[-1:] += [%s]"]
        if self.rng.random() < 0.2:
            return "if %s: %s[0] = %s" % (name, name, v)
        if self.rng.random() < 0.1:
            return "GLOBAL_PIPELINE.insert(GLOBAL_PIPELINE.index('ToDigest'), %s)" % self.value("str", 2)
        if self.rng.random() < 0.1:
            return self.pick("if %(n)s: %(n)s.remove(%(n)s[0])", "if %(n)s: del %(n)s[0]", "GLOBAL_PIPELINE.remove('Hold')", "GLOBAL_PIPELINE[0] = 'First'", "GLOBAL_PIPELINE[-1] += 'x'") % {"n": name}
        return self.rng.choice(forms) % (name, v)

    def other(self):
        r = self.rng
        d, i, s = self.names_of("dict"), self.names_of("int"), self.names_of("str")
        forms = ["pass", "'a docstring'", "'''a\n  docstring'''", "# a comment", "", "   # indented comment", "import os", "import sys as e", "add_virtualhost('a', 'b')",
                 "add_language('xx', 'y', 'z')", "from os import path as g", "from Defaults import KNOWN_SPAMMERS as B", "VIRTUAL_HOSTS['x'] = 'y'", "VIRTUAL_HOSTS.clear()", "global A", "UNLISTED.append(1)",
                 "from Mailman import Defaults; Defaults.GLOBAL_BAN_LIST.append('x')", "i = e = g = 1", "assert True, 'x'", "f = lambda: 1", "f = lambda x=1: x; A = 3",
                 "import Defaults; Defaults.GLOBAL_BAN_LIST.append('y')", "globals()['A'] = 5", "A = 1; B = 'two';C = [3];"]
        for n in d:
            forms += ["%s['k'] = 'v'" % n, "%s[1] = [2]" % n, "%s.update({'k': 2, True: 3})" % n, "%s['z'] = %s; %s['z'] += 'x'" % (n, repr("q"), n), "%s.clear()" % n, "%s.setdefault('q', 1)" % n]
        for n in i:
            forms += ["%s += 2" % n, "%s -= 1" % n, "%s *= 3" % n, "%s |= 4" % n, "%s %%= 7" % n, "%s &= 3" % n, "%s //= 2" % n]
        for n in s:
            forms += ["%s += 'x'" % n, "%s *= 2" % n]
        if self.kinds and r.random() < 0.1:
            n = r.choice(list(self.kinds))
            if n in OWN:
                del self.kinds[n]
                return "del " + n
        if not self.three:
            forms += ["print 'hello', A if 0 else 1", "exec 'X1 = 7'", "exec('X2 = [8]')", "print >>__import__('sys').stderr, 'x'", "True = 1"]
        else:
            forms += ["A: int = 5", "print('x')", "exec('X2 = [8]')", "(X1 := 4)", "X1, *X2 = [1, 2, 3]"]
        if r.random() < 0.15:
            forms += ["from other import *", "from Defaults import *", "from Mailman.Defaults import *"]
        return r.choice(forms)

    def simple(self):
        roll = self.rng.random()
        if roll < 0.5:
            return self.assignment()
        return self.mutation() if roll < 0.75 else self.other()

    def block(self, indent, depth=0):
        r = self.rng
        ind = indent + self.pick("  ", "    ", "\t")
        before = dict(self.kinds)
        lines = [self.simple() for _ in range(r.randint(1, 3))]
        if depth < 2 and r.random() < 0.3:
            body = "".join(ind + l + "\n" for l in lines) + self.block(ind, depth + 1) + ind + "pass\n"
        else:
            body = "".join(ind + l + "\n" for l in lines) + ind + "pass\n"
        head = self.pick("if A_CONDITION:", "if 1:", "if 0:", "for i in [1, 2]:", "for A, B in [(1, 2)]:", "while 0:", "try:", "def f(x=None):", "class g:", "with open('/dev/null') as e:", "if True:")
        head = head.replace("A_CONDITION", self.pick("Yes", "no", "not No"))
        if head == "def f(x=None):" and r.random() < 0.5:
            body = ind + "global " + self.pick("A", "X1", "A, X3") + "\n" + body
        text = indent + head + "\n" + body
        if head == "try:":
            text += indent + self.pick("except Exception:", "except (ValueError, TypeError) as e:", "except:", "finally:", *([] if self.three else ["except Exception, e:"])) + "\n" + ind + "pass\n"
        elif head.startswith("if") and r.random() < 0.5:
            text += indent + "else:\n" + ind + self.simple() + "\n" + ind + "pass\n"
        if head.startswith(("if 0", "while 0", "def", "class", "if no")):
            self.kinds = before
        if head.startswith("def") and r.random() < 0.7:
            text += indent + self.pick("f()", "f(A)" if "A" in self.kinds else "f()", "i = f()", "e = [f() for g in [1]]") + "\n"
        return text

    def file(self):
        r = self.rng
        out = []
        if self.encoded:
            out.append("# -*- coding: %s -*-\n" % ("latin-1" if self.latin else self.pick("utf-8", "UTF8")))
        if r.random() < 0.05:
            out.append("from __future__ import unicode_literals\n")
        if r.random() < 0.93:
            out.append(self.pick("from Defaults import *\n", "from Mailman.Defaults import *\n"))
            self.kinds.update(KNOWN_SPAMMERS="list", GLOBAL_BAN_LIST="list", GLOBAL_PIPELINE="list", USE_ENVELOPE_SENDER="int", SENDER_HEADERS="tuple",
                              DEFAULT_MAX_NUM_RECIPIENTS="int", DEFAULT_PASS_MIME_TYPES="list", VIRTUAL_HOSTS="dict", UNLISTED="list")
        for _ in range(r.randint(1, 8)):
            out.append(self.block("") if r.random() < 0.22 else self.simple() + self.pick("", "", "", ";", " # end", " ; " + self.simple()) + "\n")
        text = "".join(out)
        if r.random() < 0.1:
            text = text.replace("\n", self.pick("\r\n", "\r\n", "\r\n", "\r"))
        if r.random() < 0.05:
            at = r.randint(0, len(text))
            text = text[:at] + self.pick("\0", "$", "(", "]", "'", "\\", "\n ", "\xff", '"""', ":", "=", ",", ";", "\f") + text[at:]
        return text.rstrip("\n") if r.random() < 0.1 else text


def ask(command, questions):
    text = "".join(json.dumps(q) + "\n" for q in questions)
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def canonical(value):
    """Dict entries in one order."""
    if not isinstance(value, list) or len(value) != 2:
        return value
    kind, inner = value
    if kind == "dict":
        return [kind, sorted(([canonical(k), canonical(v)] for k, v in inner), key=json.dumps)]
    return [kind, [canonical(v) for v in inner]] if kind in ("list", "tuple") else value


def compare(questions, theirs, ours, totals):
    for question, python, answer in zip(questions, theirs, ours, strict=True):
        totals["files"] += 1
        if isinstance(python, dict):
            totals["refused" if "refused" in python else "raised"] += 1
            continue
        if isinstance(answer, dict):
            totals["given up"] += 1
            continue
        # No generated file assigns "on": it is there if Defaults were imported.
        defaults = question["defaults"] if python[question["names"].index("on")] else {}
        for name, true, found in zip(question["names"], python, answer):
            if found == "?":
                totals["unknown"] += 1
                continue
            totals["absent" if found is None else "known"] += 1
            expected = defaults.get(name) if found is None else found
            if canonical(expected) != canonical(true):
                totals["differ"] += 1
                if totals["differ"] <= 10:
                    print("---- %s: Python %r, ours %r\n%s" % (name, true, found, question["source"]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int)
    parser.add_argument("--python3", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python")
    args = parser.parse_args()
    python = args.python or ("python3.11" if args.python3 else "python2.7")
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    subprocess.run(["cargo", "build", "-q", "--example", "mm_cfg_answers"], check=True)
    ours = [os.path.join(target, "debug/examples/mm_cfg_answers")] + ["--python3"] * args.python3
    stub = os.path.join(target, "fuzz_mm_cfg_defaults.py")
    with open(stub, "w") as f:
        f.write(STUB)
    judge = [python, "-c", JUDGE, stub]
    rng = random.Random(args.seed)
    totals = dict.fromkeys(["files", "refused", "raised", "given up", "known", "absent", "unknown", "differ"], 0)
    star = {"source": "from Defaults import *\n", "names": ASKED}
    defaults = dict(zip(ASKED, ask(judge, [star])[0]))
    for start in range(0, args.n, 5000):
        questions = []
        for _ in range(min(5000, args.n - start)):
            source = Maker(rng, args.python3).file()
            questions.append({"source": source, "names": ASKED})
        theirs, answers = ask(judge, questions), ask(ours, questions)
        for question in questions:
            question["defaults"] = defaults
        compare(questions, theirs, answers, totals)
    print(", ".join("%s %d" % item for item in totals.items()), "(%s)" % python)
    sys.exit(totals["differ"] > 0)


if __name__ == "__main__":
    main()
