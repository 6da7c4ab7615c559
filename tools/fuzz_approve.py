#!/usr/bin/env python3
"""Random messages with approval lines, judged by Mailman's own handler Approve.

    tools/fuzz_approve.py SOURCE SCRATCH N [--python3] [--seed S] [--python PATH]

Compares examples/approve_answers with Mailman.Handlers.Approve of the source tree SOURCE (2.1.39,
or the port with --python3), installed in SCRATCH as tools/oracle does it: the verdict, whether the
message counts as approved, and each part that was written anew with its payload and its headers.
Prints each difference (at most 20), the kinds of answers, and how many are unknowable to us; exit
status 1 if there was a difference.
"""
import argparse
import base64
import collections
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

JUDGE = r"""
from __future__ import print_function
import json, os, sys
oracle, source, scratch = sys.argv[1:4]
sys.path.insert(0, oracle)
import mailman_site
mailman_site.install(source, scratch)
mailman_site.configure(scratch, 'from Defaults import *\n')
mailman_site.start(scratch)
import email
from Mailman import Errors, Message, mm_cfg
from Mailman.Handlers import Approve
from Mailman.SecurityManager import SecurityManager
new = sys.version_info[0] > 2

class List(SecurityManager):
    host_name = 'Lists.Example.ORG'
    def internal_name(self): return 'team'
    def GetListEmail(self): return '%s@%s' % (self.internal_name(), self.host_name)
    def Locked(self): return True

def password(given):
    if isinstance(given, dict):
        return given['t'] if 't' in given else given['b'].encode('latin-1')
    return given

def latin(value):
    if new:
        return value.encode('utf-8', 'surrogateescape').decode('latin-1')
    return value.decode('latin-1') if isinstance(value, str) else value

def judge(case):
    raw = case['message'].encode('latin-1')
    if new:
        raw = raw.decode('utf-8', 'surrogateescape')
    message = email.message_from_string(raw, Message.Message)
    mlist = List()
    for key in ('password', 'mod_password', 'post_password'):
        setattr(mlist, key, password(case[key]))
    data = {}
    before = [(part, part._payload, part['content-transfer-encoding']) for part in message.walk()]
    try:
        Approve.process(mlist, message, data)
    except Errors.RejectMessage:
        return 'reject'
    except Errors.LoopError:
        return 'discard'
    except Exception as error:
        return 'shunt'
    edits = {}
    for index, (part, payload, _encoding) in enumerate(before):
        if part.get_charset() is not None:
            edits[str(index)] = [latin(part.get_payload()), latin(part['content-type']), latin(part['content-transfer-encoding'])]
    return {'approved': bool(data.get('approved')), 'edits': edits}

for line in sys.stdin:
    print(json.dumps(judge(json.loads(line))))
"""

NAMES = ["Approved", "Approve", "X-Approved", "X-Approve", "approved", "APPROVE", "x-approved", "Approved ", " Approved", "Subject", "Approvedx", "> Approved", ""]
WORDS = ["secret", "pa ss", "p:w", "x", "a<b>c", "long" * 20, "a.b*c", "", "caf\xc3\xa9", "caf\xe9", "\xa0s", "&nbsp;s", "&nbsp;&nbsp;", "a\x00b", "\xe2\x82\xac", "(", "tab\tb", "\x1cx",
         "\xc2\xa0\xc2\xa0", "passwordlong", "\x0b"]
CHARSETS = ["utf-8", "UTF-8", "iso-8859-1", "us-ascii", "US-ASCII", "windows-1252", "koi8-r", "iso-2022-jp", "gb2312", "euc-jp", "shift_jis", "big5", "utf-7", "iso-8859-15", "utf-16", "latin1", "cp437",
            "sjis", "eucjp", "ujis", "euc_jp", "ascii", "us_ascii", "ansi_x3.4-1968", "646", "latin-1", "latin_9", "viscii", "cp949", "ks_c_5601-1987", "utf8", "macroman", "iso-8859-5", "iso8859-1", "cp1252",
            "windows-1251", "euc-kr", "iso-8859-2", "iso-8859-16", "shift-jis", "csiso2022jp", "x-sjis", "iso2022jp", "iso-2022-jp-2"]
ODD_CHARSETS = ["x-unknown", "", "8bit", "default", "'utf-8'", "utf 8", "rot13", "hex", "zlib", "idna", "undefined", "mbcs", "a;b", 'a\\"b', "a\\\\", "x" * 4085, "x" * 4100, "utf-8\x00", "caf\xe9", "unicode_escape",
                "charmap", " utf-8 ", "utf-8; x", "a\\", "=", "?", "aliases", "utf.8", "__init__", "string_escape", "utf_8_sig", "cp65001"]
TYPES = ["text/plain"] * 16 + ["text/html"] * 5 + ["text/rtf", "TEXT/Plain", "text/x-\xe9", "text", "text/plain x", "text/", "image/png", "application/octet-stream", " text/plain", "text /plain", '"text/plain"', "text/plain (c)",
                              "text/plain/x", "text/charset=utf-8"]
CTES = [None] * 6 + ["base64"] * 4 + ["quoted-printable"] * 4 + ["7bit", "8bit", "BASE64", "base64 ", "Quoted-Printable", "x-uuencode", "uue", "binary", "\xe9"]
FILLERS = ["hello", "caf\xc3\xa9", "caf\xe9", " ", "\t", "=", "=20", ".", "<b>", "</b>", "<!-- x", ">", "\xa0", "&nbsp;", "x" * 70, "y" * 75, "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\xe2\x80\xa8", "\xf0\x9f\x98\x80", "\xb1\xb2", "\x82\xa0", "\x1b$B",
           "\xc4\x80", "\xa4\xa2", "\x8e\xb1", "\x8f\xa2\xb7", "\x8f\xb0\xa1", "\x81\x5f", "From x", "--b", "z" * 76, "\xe9" * 25, "a" * 73 + "\xe9", "a" * 72 + "=", "a" * 74 + " "]
ENDS = ["\n"] * 8 + ["\r\n", "\r\n", "\r", " \n", "\n\n", "\t\n", "\x0b", "\x0c\n", " "]
SHAPES = ["; charset=%s", '; charset="%s"', ";\n charset=%s", "; CHARSET=%s", "; charset*=us-ascii'en'%s", "; charset*=utf-8''%s", "; charset*=hex''%s", "; charset*=x-y''%s", '; charset="%s"; charset=utf-8',
          "; charset*0=%s; charset*1=8", "; charset*=''%s", "; charset*=%s", "; charset*=utf-16''%s", "; charset*=idna''%s"]
BEEN_THERE = ["X-BeenThere: team@lists.example.org", "X-BeenThere:  TEAM@Lists.example.org\t", "X-BeenThere: other@x", "X-BeenThere: caf\xe9", "x-beenthere: team@lists.example.org\n "]


def stored(rng, word, port):
    """A password as a list may hold it."""
    raw = word.encode("latin-1")
    sha1 = hashlib.sha1(raw).hexdigest()
    kind = rng.random()
    if kind < 0.2:
        return None
    if kind < 0.7 and not port:
        return rng.choice([{"b": sha1}, {"b": sha1}, {"t": sha1}, {"b": sha1.upper()}])
    if kind < 0.7:
        salt = os.urandom(4) if rng.random() < 0.5 else b""
        rounds, length = rng.choice([1, 2, 50]), rng.choice([32, 32, 20, 40])
        derived = hashlib.pbkdf2_hmac("sha256", raw, salt, rounds, length)
        new = "$pbkdf2$sha256$%d$%s$%s" % (rounds, salt.hex(), derived.hex())
        return rng.choice([{"t": sha1}, {"t": sha1.upper()}, {"b": sha1}, {"t": new}, {"t": new}, {"t": " " + new + "\n"}, {"t": new.upper()}, {"t": new + "$"}, {"t": new[:-1]}, {"t": new.replace("$%d$" % rounds, "$0$")}])
    return rng.choice([{"b": hashlib.md5(raw).digest().decode("latin-1")}, {"b": hashlib.md5(raw).hexdigest()}, crypted(raw), crypted(raw), {"b": word}, {"t": word}, {"b": ""}, {"t": "\xe9" * 3}, 0, 5,
                       {"b": hashlib.sha1(raw).digest().decode("latin-1")}, {"t": hashlib.md5(raw).digest().decode("latin-1")}, {"b": "ab\x00"}, {"t": "a\xe9b"}, {"b": "a"}, {"t": "abcdefghijklm"}])


CRYPTED = {}


def crypted(raw):
    """A traditional crypt of the password, with the salt `ab`, by Perl, which has it."""
    cut = raw.split(b"\0")[0]
    if cut not in CRYPTED:
        done = subprocess.run(["perl", "-e", "print crypt($ARGV[0], 'ab')", cut], stdout=subprocess.PIPE, check=True)
        CRYPTED[cut] = done.stdout.decode()
    return {"b": CRYPTED[cut]} if len(CRYPTED) % 3 else {"t": CRYPTED[cut]}


def approval(rng, word):
    gap = rng.choice([" ", " ", " ", "", "\t", "  ", "\xa0", "&nbsp;", "\xc2\xa0", " &nbsp; \xa0", "\n", "&nbsp", "\x1c", "\x85"])
    name, word = word
    return (name if rng.random() < 0.9 else rng.choice(NAMES)) + rng.choice([":"] * 16 + [" :", "::", ""]) + gap + word + rng.choice([""] * 5 + [" ", "\t", "\xa0"])


def text(rng, word, kind):
    out = rng.choice(["", "", "", "\n", " \n\t\n", "\r\n", "\x0b\n", "\x0c", "\x1c\n", "\x85\n"])
    if rng.random() < 0.75:
        line = approval(rng, word)
        if kind == "text/html" and rng.random() < 0.7:
            line = rng.choice(["<p>%s</p>", "<b>%s</b>", "%s<br>", "<!-- %s -->", "x%s", "<br\n>%s"]) % line
            if rng.random() < 0.6:
                line = line.replace(":", rng.choice([":<b>", "<i>:</i>", ":&nbsp;", ": <x", ":<b>&nbsp;</b>"]), 1)
        out += line + rng.choice(ENDS)
    for _ in range(rng.choice([0, 1, 3, 8])):
        out += rng.choice(FILLERS) if rng.random() < 0.9 else approval(rng, word)
        out += rng.choice(["", "", " ", "\n", "\n", "\r\n", "\r"])
    if rng.random() < 0.15:
        out += approval(rng, word) + rng.choice(ENDS + [""])
    return out


def transfer(rng, body, encoding):
    kind = (encoding or "").strip().lower()
    raw = body.encode("latin-1")
    if rng.random() < 0.05:
        return body
    if kind == "base64":
        coded = base64.encodebytes(raw).decode()
        if rng.random() < 0.15:
            at = rng.randint(0, len(coded))
            coded = coded[:at] + rng.choice(["=", "A", "!", "==", "\n", "Approved: x\n", " "]) + coded[at + rng.choice([0, 1, 2]):]
        return coded if rng.random() < 0.9 else coded.replace("\n", "")
    if kind == "quoted-printable":
        safe = rng.random() < 0.7
        return "".join(c if c in "\r\n" or (33 <= ord(c) < 127 and c != "=" and (safe or rng.random() < 0.8)) or (c == " " and rng.random() < 0.9) else "=%02X" % ord(c) for c in body).replace("zz", rng.choice(["zz", "=\nzz", "=\r\nzz", "=\rzz", "=zz"]))
    if kind in ("x-uuencode", "uue") and rng.random() < 0.8:
        import binascii
        coded = b"".join(binascii.b2a_uu(raw[i:i + 45]) for i in range(0, len(raw), 45)).decode()
        return "begin 666 x\n" + coded + rng.choice([" \nend\n", "\nend\n", "", "!\xff\nend\n"])
    return body


def content_type(rng, kind):
    value = kind
    if rng.random() < 0.8:
        charset = rng.choice(CHARSETS if rng.random() < 0.9 else ODD_CHARSETS)
        value += rng.choice(SHAPES if rng.random() < 0.2 else SHAPES[:3]) % charset
    if rng.random() < 0.2:
        value += rng.choice(["; format=flowed", '; Format="a b"; delsp=yes', "; format*=us-ascii'en'a%20b", "; format=", '; delsp="\\"x"', "; format*=x", "; format=caf\xe9", "; name=a.txt"])
    return value


def leaf(rng, word, kind=None):
    kind = kind or rng.choice(TYPES)
    headers = [] if kind == "text/plain" and rng.random() < 0.2 else [rng.choice(["Content-Type", "content-type"]) + ": " + content_type(rng, kind)]
    encoding = rng.choice(CTES)
    if encoding is not None:
        headers.append("Content-Transfer-Encoding: " + encoding)
    if rng.random() < 0.05:
        headers.append("Content-Type: text/html")
    return headers, transfer(rng, text(rng, word, kind.lower()), encoding)


def alternatives(rng, word):
    """The same line as plain text and as HTML."""
    line = approval(rng, word)
    gap = rng.choice(["", " ", "&nbsp;", "\xa0", "<b>", "<x\n>", " <", "<b> </b>"])
    html = line.replace(":", rng.choice([":", ":", "</i>:", "<:"]) + gap, rng.choice([1, 1, 9]))
    html = rng.choice(["<p>%s</p>", "%s", "x %s\n", "%s %s", "<%s>"]).replace("%s", html)
    out = ""
    for kind, body in (("text/plain", line + rng.choice(ENDS)), (rng.choice(["text/html", "text/html", "text/plain", "TEXT/rtf"]), html)):
        encoding = rng.choice(CTES)
        out += "--b9\nContent-Type: %s\n%s\n%s\n" % (content_type(rng, kind), "" if encoding is None else "Content-Transfer-Encoding: %s\n" % encoding, transfer(rng, body, encoding))
    return ['Content-Type: multipart/alternative; boundary="b9"'], out + "--b9--\n"


def part(rng, word, depth):
    kind = rng.random()
    if kind > 0.85:
        return alternatives(rng, word)
    if depth < 2 and kind < 0.3:
        subtype = rng.choice(["mixed", "alternative", "digest"])
        out = ""
        for at in range(rng.choice([1, 2, 2, 3])):
            headers, body = leaf(rng, word, "text/plain") if at == 0 and rng.random() < 0.4 else part(rng, word, depth + 1)
            out += "--b%d\n%s\n%s\n" % (depth, "".join(h + "\n" for h in headers), body)
        return ['Content-Type: multipart/%s; boundary="b%d"' % (subtype, depth)], out + "--b%d--\n" % depth
    if depth < 2 and kind < 0.36:
        headers, body = part(rng, word, depth + 1)
        return ["Content-Type: message/rfc822"], "".join(h + "\n" for h in headers) + "\n" + body
    return leaf(rng, word)


def message(rng, word):
    headers = ["From: a@b", "Subject: x"]
    if rng.random() < 0.12:
        headers.append(rng.choice(NAMES[:7]) + ":" + rng.choice([" ", "", "  ", "\t"]) + word[1].replace("\n", "") + rng.choice(["", "", " ", "\n x"]))
    if rng.random() < 0.05:
        headers.append(rng.choice(NAMES[:4]) + ": " + rng.choice(WORDS))
    if rng.random() < 0.06:
        headers.append(rng.choice(BEEN_THERE))
    more, body = part(rng, word, rng.choice([0, 0, 1, 2]))
    whole = "\n".join(headers + more) + "\n\n" + body
    if rng.random() < 0.04:
        whole = whole.replace("\r\n", "\n").replace("\n", "\r\n")
    return whole


def case(rng, port):
    word = rng.choice(WORDS[:9] if rng.random() < 0.6 else WORDS)
    others = [word if rng.random() < 0.8 else rng.choice(WORDS) for _ in range(3)]
    keys = ["password", "mod_password", "post_password"]
    return dict(zip(keys, [stored(rng, w, port) for w in others]), message=message(rng, (rng.choice(NAMES[:7]), word)))


def ask(command, cases, **options):
    lines = "".join(json.dumps(c) + "\n" for c in cases)
    done = subprocess.run(command, input=lines.encode(), stdout=subprocess.PIPE, check=True, **options)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("scratch")
    parser.add_argument("n", type=int)
    parser.add_argument("--python3", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python")
    args = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    subprocess.run(["cargo", "build", "-q", "--example", "approve_answers"], check=True)
    ours = [os.path.join(target, "debug/examples/approve_answers")] + (["--python3"] if args.python3 else [])
    python = args.python or ("python3" if args.python3 else "python2.7")
    rng = random.Random(args.seed)
    kinds, reasons = collections.Counter(), collections.Counter()
    differing = unknowable = 0
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "judge.py")
        with open(script, "w") as out:
            out.write(JUDGE)
        for start in range(0, args.n, 5000):
            cases = [case(rng, args.python3) for _ in range(min(5000, args.n - start))]
            judged = ask([python, "-W", "ignore", script, os.path.join(here, "oracle"), args.source, args.scratch], cases)
            for given, expected, answer in zip(cases, judged, ask(ours, cases), strict=True):
                kinds[expected if isinstance(expected, str) else "approved" if expected["approved"] else "pass, edited" if expected["edits"] else "pass"] += 1
                if "unknowable" in answer:
                    unknowable += 1
                    reasons[answer["unknowable"]] += 1
                elif answer != expected:
                    differing += 1
                    if differing <= 20:
                        print("%r\n  Mailman %.1500r\n  ours    %.1500r" % (given, expected, answer))
    print("%d messages, %d differ; %d unknowable; %s" % (args.n, differing, unknowable, kinds.most_common()))
    print("unknowable: %s" % reasons.most_common())
    sys.exit(differing > 0)


if __name__ == "__main__":
    main()
