#!/usr/bin/env python3
"""Random messages, judged by Python 2.7's own email package.

    tools/fuzz_message.py N [--headers] [--seed S] [--python PATH]
    tools/fuzz_message.py N --python3 [--seed S] [--python PATH]
    tools/fuzz_message.py --files FILE... [--headers]
    tools/fuzz_message.py --mail-parser [N] [--files FILE...]

Compares examples/message_answers with Python 2.7 (python2.7 on the PATH or --python): for each
part in the order of walk() its depth, type, headers, payload, decoded payload, preamble, epilogue
and some parameters; with --headers the header block alone. With --files the messages are these
files, each as it is, with LF and with CRLF. Prints each difference (at most 20) and a count; exit
status 1 if there was one. With --python3 how Python 3.11 (python3 or --python) splits messages. Messages that ours declines for the charset of a boundary are counted.
--mail-parser counts instead where the crate of that name sees the same as Python.
"""
import argparse
import json
import os
import random
import subprocess
import sys

JUDGE = r"""
import binascii, email, email.parser, json, sys
only_headers = sys.argv[1:] == ['--headers']

def text(value):
    return value.decode('latin-1') if isinstance(value, str) else value

def pairs(msg):
    return [[text(name), text(value)] for name, value in msg.items()]

def parameter(msg, name, header):
    value = msg.get_param(name, None, header)
    return [text(v) for v in value] if isinstance(value, (tuple, list)) else text(value)

def decoded(msg):
    try:
        return text(msg.get_payload(decode=True))
    except binascii.Error:
        return ['binascii.Error']

def walk(msg, depth, out):
    kind = msg.get_content_type()
    assert kind.split('/')[0] == msg.get_content_maintype()
    payload = msg.get_payload()
    out.append([depth, text(kind), text(msg.get_unixfrom()), pairs(msg),
                None if msg.is_multipart() else text(payload), decoded(msg),
                text(msg.preamble), text(msg.epilogue),
                [parameter(msg, 'boundary', 'content-type'), parameter(msg, 'charset', 'content-type'),
                 parameter(msg, 'name', 'content-type'), parameter(msg, 'filename', 'content-disposition')]])
    if msg.is_multipart():
        for part in payload:
            walk(part, depth + 1, out)
    return out

for line in sys.stdin:
    raw = json.loads(line).encode('latin-1')
    if only_headers:
        msg = email.parser.HeaderParser().parsestr(raw)
        answer = [text(msg.get_unixfrom()), pairs(msg), text(msg.get_payload())]
    else:
        try:
            answer = walk(email.message_from_string(raw), 0, [])
        except Exception as error:
            answer = repr(error)
    print(json.dumps(answer))
"""

# The splitting alone, of the text that the bytes are in UTF-8 with others escaped.
JUDGE_3 = r"""
import email, json, sys

def text(value):
    return None if value is None else value.encode('utf-8', 'surrogateescape').decode('latin-1')

def walk(msg, depth, out):
    out.append([depth, text(msg.get_content_type()), text(msg.get_unixfrom()),
                [[text(name), text(value)] for name, value in msg._headers],
                None if msg.is_multipart() else text(msg._payload), text(msg.preamble), text(msg.epilogue or '')])
    if msg.is_multipart():
        for part in msg.get_payload():
            walk(part, depth + 1, out)
    return out

for line in sys.stdin:
    raw = json.loads(line).encode('latin-1').decode('utf-8', 'surrogateescape')
    try:
        answer = walk(email.message_from_string(raw), 0, [])
    except Exception as error:
        answer = repr(error)
    print(json.dumps(answer))
"""

ENDS = ["\n", "\r\n", "\r"]
BLANKS = [" ", "\t", "", "", "\x0b", "  "]
NAMES = ["From", "from", "To", "Subject", "X", "x-y", "Content-Type", "MIME-Version", "a\x21~", "Received"]
BAD_NAMES = ["", "Subject ", "\xef\xbb\xbfFrom", "X Y", "a\x7f", "a\0", ">From", "\xe9", "From "]
BOUNDARIES = ["b", "B", "bb", "b--", "=_x.1", "", "a b", "b;c", "--", "'", "\xe9", "a/b", "b\"q", "\\b", "<b>"]
MAIN = ["text/plain", "TEXT/HTML", "text", "application/octet-stream", "image/gif; name=x.gif", "a/b/c", "", "/", "Multipart", "multipart"]
CONTAINERS = ["multipart/mixed", "multipart/mixed", "Multipart/Alternative", "multipart/digest", "multipart/", "multipart/signed"]
ATTACHED = ["message/rfc822", "message/rfc822", "message/delivery-status", "message/partial", "Message/External-Body"]
ENCODINGS = ["base64", "BASE64", "quoted-printable", "Quoted-Printable", "x-uuencode", "uuencode", "uue", "x-uue", "7bit", "base64 ", "8bit", "bogus"]
PARAMETERS = ["charset", "name", "NAME", "filename", "boundary", "Boundary", "BOUNDARY", "bOundary"]


class Maker:
    def __init__(self, rng):
        self.rng = rng
        self.end = rng.choice(ENDS[:2] + ENDS)
        self.mixed = rng.random() < 0.25
        self.used = rng.sample(BOUNDARIES, rng.randint(1, 4)) if rng.random() < 0.5 else BOUNDARIES[:3]

    def eol(self):
        return self.rng.choice(ENDS) if self.mixed else self.end

    def few(self, make, most):
        return "".join(make() for _ in range(self.rng.randint(0, most)))

    def blank(self):
        return self.rng.choice(BLANKS)

    def word(self):
        return self.rng.choice(["a", "joe@x.org", "Hello", "=", "--", "-", "\xe4\xf6", "\0", "%41", "'", "\"", ";", "b", ".", "\x0c", "\x85"])

    def line(self):
        return self.few(lambda: self.word() + self.blank(), 4) + self.eol()

    def quoted(self, value):
        rng = self.rng
        kind = rng.random()
        if kind < 0.45:
            return '"%s"' % value
        if kind < 0.55:
            return '"%s"' % value.replace("\\", "\\\\").replace('"', '\\"')
        if kind < 0.6:
            return "<%s>" % value
        if kind < 0.63:
            return '"<%s>"' % value
        if kind < 0.66:
            return '"\\"%s\\""' % value
        if kind < 0.7:
            return '"%s' % value
        return value + rng.choice(["", "", " ", "\t", "\x0b"])

    def extended(self, name, value):
        rng = self.rng
        charset = rng.choice(["us-ascii", "utf-8", "UTF-8", "iso-8859-1", "iso-8859-15", "", "", "x-unknown", "koi8-r", "\"", "hex", "utf-16", "euc-jp", "\xe9", "a\0"])
        value = value.replace("b", rng.choice(["b", "%62", "%6", "b"])) + rng.choice(["", "", "", "%20", "%C3%A9", "%E9", "%e2%80%83", "%a0", "\xe9"])
        full = rng.choice(["%s'%s'%s", "%s'%s'%s", "%s'%s'%s", "%s%s%s"]) % (charset, rng.choice(["", "en"]), value)
        kind = rng.random()
        if kind < 0.4:
            return "%s*=%s" % (name, self.quoted(full))
        if kind < 0.5:
            return "%s*0=%s" % (name, self.quoted(value))
        if kind < 0.6:
            return name + "*"
        cut = rng.randint(0, len(full))
        pieces = ["%s*%s=%s" % (name, rng.choice(["0*", "0", "00*", "1", ""]), self.quoted(full[:cut])),
                  "%s*%s=%s" % (name, rng.choice(["1*", "1", "10", "2*", "0", "x", "-1", "1*1"]), self.quoted(full[cut:]))]
        rng.shuffle(pieces)
        return "; ".join(pieces)

    def parameter(self, name, value):
        rng = self.rng
        kind = rng.random()
        if kind < 0.12:
            return self.extended(name, value)
        if kind < 0.13:
            # Names that differ in case only are taken in the order of a dict.
            cases = ["".join(rng.choice([c, c.upper()]) for c in name) + "*" for _ in range(rng.randint(1, 12))]
            cases.insert(rng.randint(0, len(cases)), self.extended(name.lower(), value))
            return "; ".join(cases)
        if kind < 0.15:
            return name
        return name + self.blank() + "=" + self.blank() + self.quoted(value)

    def parameters(self, most):
        rng = self.rng
        return [self.parameter(rng.choice(PARAMETERS), rng.choice(["us-ascii", "b", "x.exe", "a;b", "B", "\xe9"])) for _ in range(rng.randint(0, most))]

    def header_value(self, items):
        rng = self.rng
        separators = ["; ", "; ", ";", " ;", ";" + self.eol() + " ", ";;", "; ;"]
        out = items[0] if items else ""
        for item in items[1:]:
            out += rng.choice(separators) + item
        return out

    def other_header(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.65:
            return rng.choice(NAMES[:6] + NAMES[7:]) + ":" + self.blank() + self.line() + self.few(lambda: rng.choice(" \t") + self.line(), 2 if rng.random() < 0.2 else 0)
        if kind < 0.75:
            return "Content-Transfer-Encoding: " + rng.choice(ENCODINGS) + self.eol()
        if kind < 0.8:
            return "Content-Disposition: " + self.header_value(["attachment"] + self.parameters(2)) + self.eol()
        if kind < 0.84:
            return "From joe@x.org Mon Jan  1" + self.eol()
        if kind < 0.86:
            return rng.choice(" \t") + self.line()
        if kind < 0.87:
            return rng.choice(BAD_NAMES) + ":" + self.line()
        return "X-%d: y" % rng.randint(0, 9) + self.eol()

    def head(self, content_type, encoding=None):
        rng = self.rng
        headers = [self.other_header() for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 4]))]
        if content_type is not None:
            headers.insert(rng.randint(0, len(headers)), rng.choice(["Content-Type", "Content-type", "CONTENT-TYPE"]) + ":" + self.blank() + content_type + self.eol())
        if encoding:
            headers.append("Content-Transfer-Encoding: " + encoding + self.eol())
        if rng.random() < 0.01:
            return "".join(headers) + "X: y" + self.eol() + "From joe@x.org Mon" + rng.choice(ENDS) + rng.choice(ENDS) + rng.choice(ENDS)
        start = "From joe@x.org Mon Jan  1" + self.eol() if rng.random() < 0.08 else ""
        end = "From joe@x.org Mon" + self.eol() if rng.random() < 0.03 else ""
        return start + "".join(headers) + end + (self.eol() if rng.random() < 0.93 else "")

    def base64(self):
        return self.few(lambda: self.rng.choice(["QUJD", "QQ==", "QUI=", "AA", "=", "\n", "\r\n", " ", "!", "-", "A", "/+", "\xe9", "=!=", "==" ]), 12)

    def quoted_printable(self):
        return self.few(lambda: self.rng.choice(["=41", "=e9", "=E", "=", "==", "=\n", "=\r\n", "=\rx\n", "=\r", "a", " ", "_", "\t\n", "=4g", "\xe9", "= \n", "=3D"]), 12)

    def uuencoded(self):
        rng = self.rng
        begin = "begin %s %s" % (rng.choice(["644", "644", "0o644", "-7", "+ 7", "8", "", "7L", "0o", "7\t", "7" * 40, "00o7"]), rng.choice(["x.txt", "", " y", "z\r"]))
        begin = begin if rng.random() < 0.9 else rng.choice(["begin", "begin 644", "beginn 644 x", " begin 644 x"])
        data = self.few(lambda: rng.choice(["#0V%T", "%86)C9&4", "$86)C9", "`", " ", "", "#0V%T`", "#0V%T ", "#0V%Tx", "#0\xe9%T", "#0", "#0V%T\r", "M", "\xe9abc", "#a", "#0V%`xx", "!00"]) + "\n", 4)
        return self.few(self.line, 1) + begin + "\n" + data + rng.choice(["end\n", "end", " \nend\n", "end \t\n", "", "END\n", "\rend"])

    def body(self):
        return self.few(self.line, 4)

    def leaf(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.2:
            encoding, body = rng.choice([("base64", self.base64()), ("quoted-printable", self.quoted_printable()), (rng.choice(ENCODINGS[4:8]), self.uuencoded())])
        else:
            encoding, body = None, self.body()
        content_type = self.header_value([rng.choice(MAIN)] + self.parameters(2)) if rng.random() < 0.5 else None
        return self.head(content_type, encoding) + body

    def mark(self, boundary, close=False):
        rng = self.rng
        if rng.random() < 0.08:
            boundary = rng.choice(self.used)
        if rng.random() < 0.04:
            close = not close
        end = "" if rng.random() < 0.03 else self.eol()
        before = rng.choice(["", "", "", "", self.eol(), " ", "-"]) if rng.random() < 0.3 else ""
        return before + "--" + boundary + ("--" if close else "") + rng.choice(["", "", "", "", " ", "\t ", "\x0b", "x"][: 8 if rng.random() < 0.2 else 4]) + end

    def multipart(self, depth):
        rng = self.rng
        boundary = rng.choice(self.used)
        items = [rng.choice(CONTAINERS), self.parameter(rng.choice(["boundary", "boundary", "boundary", "Boundary"]), boundary)]
        items += self.parameters(2 if rng.random() < 0.2 else 0)
        if rng.random() < 0.05:
            rng.shuffle(items)
        if rng.random() < 0.03:
            items.pop()
        out = self.head(self.header_value(items)) + (self.body() if rng.random() < 0.3 else "")
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
            out += self.mark(boundary) + (self.mark(boundary) if rng.random() < 0.08 else "")
            out += self.entity(depth + 1) + (self.eol() if rng.random() < 0.4 else "")
        if rng.random() < 0.8:
            out += self.mark(boundary, True)
        return out + (self.body() if rng.random() < 0.4 else "")

    def attached(self, depth):
        kind = self.rng.choice(ATTACHED)
        if kind == "message/delivery-status":
            blocks = [self.few(self.other_header, 3) for _ in range(self.rng.randint(0, 3))]
            if self.rng.random() < 0.2:
                blocks.append(self.entity(depth + 1))
            return self.head(kind) + self.eol().join(blocks) + self.few(self.eol, 2)
        return self.head(kind) + self.entity(depth + 1)

    def entity(self, depth=0):
        kind = self.rng.random()
        if depth > 5 or kind < (0.15 if depth == 0 else 0.5):
            return self.leaf()
        return self.multipart(depth) if kind < 0.85 else self.attached(depth)

    def mutated(self, text):
        rng = self.rng
        for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 3])):
            a, b = sorted(rng.randint(0, len(text)) for _ in range(2))
            kind = rng.random()
            if kind < 0.3:
                text = text[:a]
            elif kind < 0.5:
                text = text[:a] + text[min(b, a + 20):]
            elif kind < 0.7:
                text = text[:b] + text[a:b] + text[b:]
            elif kind < 0.85:
                lines = text.splitlines(True)
                rng.shuffle(lines)
                text = "".join(lines)
            else:
                text = text[:a] + rng.choice(["\r", "\n", " ", "--b\n", ":", "-", "\0"]) + text[a:]
        return text

    def message(self):
        message = self.mutated(self.entity())
        if self.rng.random() < 0.03:
            # Python's parser is fed 8192 bytes at a time.
            return "X-Pad: " + "p" * (8185 - self.rng.randint(0, len(message))) + self.eol() + message
        return message

    def header_block(self):
        rng = self.rng
        return self.mutated(self.few(lambda: self.head(None)[: None if rng.random() < 0.9 else -1], 4) + self.body())


def ask(command, values):
    text = "".join(json.dumps(v) + "\n" for v in values)
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def from_files(paths):
    for path in paths:
        with open(path, "rb") as file:
            raw = file.read()
        unix = raw.replace(b"\r\n", b"\n")
        for form in {raw: 0, unix: 0, unix.replace(b"\n", b"\r\n"): 0}:
            yield form.decode("latin-1")


def show(value, expected, answer):
    print("%.1000r" % value)
    if isinstance(expected, list) and isinstance(answer, list) and len(expected) == len(answer):
        for theirs, ours in zip(expected, answer):
            if theirs != ours:
                print("  Python %.400r\n  ours   %.400r" % (theirs, ours))
                return
    print("  Python %.1000r\n  ours   %.1000r" % (expected, answer))


def count_agreement(python, ours, values):
    counts = dict.fromkeys(["messages", "same shape", "and types", "and payloads", "with several parts", "of these same shape", "of these all same", "panics"], 0)
    decoded = {}
    for expected, (parts, encodings) in zip(ask([python, "-c", JUDGE], values), ask(ours, values), strict=True):
        if isinstance(expected, str):
            continue
        if parts == [["panic"]]:
            counts["panics"] += 1
            counts["messages"] += 1
            continue
        shape = [part[0] for part in expected] == [part[0] for part in parts]
        types = shape and [part[1] for part in expected] == [part[1] for part in parts]
        payloads = types and [part[4] for part in expected] == [part[2] for part in parts]
        several = len(expected) > 1
        for name, holds in zip(counts, [True, shape, types, payloads, several, several and shape, several and payloads]):
            counts[name] += holds
        for encoding, same in encodings:
            decoded.setdefault(encoding, []).append(same)
    print(", ".join("%s: %d" % item for item in counts.items()))
    print(", ".join("%s payloads: %d, same: %d" % (name, len(same), sum(same)) for name, same in sorted(decoded.items())))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("n", type=int, nargs="?", default=0)
    parser.add_argument("--files", nargs="+", default=[])
    parser.add_argument("--headers", action="store_true")
    parser.add_argument("--mail-parser", action="store_true")
    parser.add_argument("--python3", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--python")
    args = parser.parse_args()
    args.python = args.python or ("python3" if args.python3 else "python2.7")
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    subprocess.run(["cargo", "build", "-q", "--example", "message_answers"], check=True)
    flags = ["--headers"] * args.headers + ["--python3"] * args.python3
    judge = JUDGE_3 if args.python3 else JUDGE
    ours = [os.path.join(target, "debug/examples/message_answers")] + flags
    rng = random.Random(args.seed)
    values = list(from_files(args.files))
    values += [Maker(rng).header_block() if args.headers else Maker(rng).message() for _ in range(args.n)]
    if args.mail_parser:
        count_agreement(args.python, ours[:1] + ["--mail-parser"], values)
        return
    differing = compared = declined = failing = parts = several = 0
    for start in range(0, len(values), 20000):
        batch = values[start:start + 20000]
        theirs = ask([args.python, "-c", judge] + flags, batch)
        for value, expected, answer in zip(batch, theirs, ask(ours, batch), strict=True):
            compared += 1
            failing += isinstance(expected, str)
            if isinstance(answer, str) and "charset" in answer:
                declined += 1
                continue
            parts += len(answer)
            several += len(answer) > 1
            if answer != expected:
                differing += 1
                if differing <= 20:
                    show(value, expected, answer)
    what = "header blocks" if args.headers else "messages (%d with several parts, %d parts)" % (several, parts)
    print("%d %s, %d differ, %d declined, %d fail in Python" % (compared, what, differing, declined, failing))
    sys.exit(differing > 0)


if __name__ == "__main__":
    main()
