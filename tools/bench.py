#!/usr/bin/env python3
"""What one query costs, as ratios taken in one run.

    tools/bench.py MM_QUERY BIG_LIST

MM_QUERY is the program, statically linked and optimised; BIG_LIST the example that writes lists
(`make bench` builds both). Prints, for lists of 1,000 and 1,000,000 members, the time of one
`test-sender` beside that of a static program that does nothing, of `cat config.pck > /dev/null` and of
Python 3's `pickle.load`, all interleaved, medians; and the peak of the resident memory that is not
file pages. Then `test-message` on messages of 10 MB, beside `LC_ALL=C grep -c '^--'` of each.
"""
import base64
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

NOOP = "int main(void) { return 0; }\n"
LOAD = """
import pickle, sys, types
class Bounce: pass
class Loader(pickle.Unpickler):
    def find_class(self, module, name):
        return Bounce if name == '_BounceInfo' else super().find_class(module, name)
with open(sys.argv[1], 'rb') as f:
    Loader(f, encoding='latin-1').load()
"""
QUIET = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]


def spawn(args):
    return os.posix_spawn(args[0], args, {}, file_actions=QUIET)


def once(args, status):
    start = time.perf_counter()
    pid = spawn(args)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    spent = time.perf_counter() - start
    if code != status:
        sys.exit(f"{args}: status {code} instead of {status}")
    return spent


def medians(commands, rounds):
    """Median seconds of each command, one run of each in every round."""
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, (args, status) in commands.items():
            times[name].append(once(args, status))
    return {name: statistics.median(spent) for name, spent in times.items()}


def peak(args):
    """Peak anonymous memory in KiB: as often as /proc can be read while the program runs."""
    pid = spawn(args)
    most = 0
    while True:
        try:
            text = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            break
        lines = [line.split() for line in text.splitlines() if line.startswith("RssAnon")]
        if not lines:
            break
        most = max(most, int(lines[0][1]))
    os.waitpid(pid, 0)
    return most


def large_messages():
    """Messages of 10 MB, by what they are."""
    head = b"From: Stranger <stranger@example.net>\nTo: big@lists.example.org\nSubject: x\nMIME-Version: 1.0\n"
    size = 10 * 1000 * 1000
    text = (b"All work and no play makes Jack a dull boy. " * 1 + b"\n") * (size // 45)
    encoded = base64.encodebytes(os.urandom(size * 3 // 4))
    base64_text = base64.encodebytes(text[:size * 3 // 4])
    yield "text", head + b"\n" + text
    yield "text in base64", head + b"Content-Transfer-Encoding: base64\n\n" + base64_text
    yield "blank lines", head + b"\n" + b"\n" * size
    yield "one line", head + b"\n" + b"x" * size
    yield "lines of dashes", head + (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n" + b"--x\n" * (size // 4))
    yield "attachment", head + (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nSee below.\n--b\n"
        b"Content-Type: application/pdf; name=x.pdf\nContent-Transfer-Encoding: base64\n\n"
        + encoded + b"--b--\n")
    part = b"--b\nContent-Type: text/plain; charset=utf-8\n\nHello\n"
    parts = 30000
    yield "30,000 parts", head + (b"Content-Type: multipart/mixed; boundary=b\n\n" + part * parts
                                 + b"--b\n\n" + text[:size - len(part) * parts] + b"\n--b--\n")


# A program's peak memory counts that of whoever started it, so that must be small.
PEAK = """
import os, sys
quiet = [(os.POSIX_SPAWN_OPEN, fd, '/dev/null', os.O_RDWR, 0) for fd in (0, 1, 2)]
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], {}, file_actions=quiet)
print(os.wait4(pid, 0)[2].ru_maxrss * 1024)
"""


def largest(args):
    """Peak resident memory in bytes, file pages included."""
    return int(subprocess.run([sys.executable, "-S", "-E", "-c", PEAK, *args], check=True,
                              capture_output=True).stdout)


def judge_messages(program, folder, lists):
    small = os.path.join(folder, "small")
    with open(small, "wb") as out:
        out.write(b"From: stranger@example.net\n\nHello\n")
    ask = lambda file: [program, "test-message", "big", file, f"--lists-dir={lists}"]
    print("\ntest-message, messages of 10 MB; medians of 15 interleaved rounds")
    for name, message in large_messages():
        file = os.path.join(folder, "message")
        with open(file, "wb") as out:
            out.write(message)
        found = medians({
            "small": (ask(small), 0),
            "large": (ask(file), 0),
            # grep looks for one match only where it writes to /dev/null.
            "grep": (["/bin/sh", "-c", f"LC_ALL=C grep -c '^--' {file} > {folder}/count; true"], 0),
            "sh": (["/bin/sh", "-c", f"echo > {folder}/count; true"], 0),
        }, 15)
        spent, grep = found["large"] - found["small"], found["grep"] - found["sh"]
        times = largest(ask(file)) / len(message)
        print(f"  {name:<16}{found['large'] * 1e3:8.2f} ms ({found['small'] * 1e3:.2f} fixed), grep "
              f"{grep * 1e3:6.2f} ms: {spent / grep:5.2f} times; memory {times:4.2f} times the message")


def main():
    program, big_list = (os.path.abspath(a) for a in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        noop = os.path.join(folder, "noop")
        subprocess.run(["cc", "-O2", "-static", "-x", "c", "-o", noop, "-"], input=NOOP, text=True,
                       check=True)
        for members, rounds in ((1000, 300), (1000000, 15)):
            lists = os.path.join(folder, str(members))
            os.makedirs(os.path.join(lists, "big"))
            subprocess.run([big_list, str(members), os.path.join(lists, "big")], check=True)
            config = os.path.join(lists, "big", "config.pck")
            ask = [program, "test-sender", "big", "--from=Stranger <stranger@example.net>",
                   "--envelope-from=stranger@example.net", "--held=refuse", f"--lists-dir={lists}"]
            commands = {
                "static no-op": ([noop], 0),
                "mm-query": (ask, 1),
                "cat": (["/bin/cat", config], 0),
            }
            found = medians(commands, rounds)
            load = medians({"": ([sys.executable, "-c", LOAD, config], 0)}, 3)[""]
            size = os.path.getsize(config) / 1e6
            print(f"\n{members:,} members, {size:.1f} MB; medians of {rounds} interleaved rounds")
            for name, spent in found.items():
                print(f"  {name:<24}{spent * 1e3:9.3f} ms")
            print(f"  {'Python 3 pickle.load':<24}{load * 1e3:9.3f} ms")
            query = found["mm-query"]
            print(f"  mm-query / no-op        {query / found['static no-op']:9.2f}")
            print(f"  mm-query / cat          {query / found['cat']:9.2f}")
            print(f"  mm-query / pickle.load  {query / load:9.4f}")
            most = max(peak(ask) for _ in range(5 if members > 10000 else 50))
            print(f"  peak anonymous memory   {most / 1024:9.2f} MiB (heap and stacks)")
            if members == 1000:
                judge_messages(program, folder, lists)


if __name__ == "__main__":
    main()
