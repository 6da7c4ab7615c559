#!/usr/bin/env python3
"""What a check adds to the time that Exim takes for a message: a paired comparison.

    tools/bench_exim.py DIST [ROUNDS]

DIST holds what `make build` makes. Six Exims on loopback take the same messages of a member to a
list, one after the other in changing order: without our snippets, with the setuid wrapper, and with
the daemon, by TCP and by a Unix socket; and with the least that Exim can do: run a static C program that
does nothing, and ask a C program that answers at once. Measured is the time from the final dot to the
reply. Printed are, in milliseconds, the medians and the medians of the differences to no check, and to
the least that can be done, with their 95 % confidence intervals. Runs as root in mounts of its own, so
that the wrapper and the lists are where they would be installed.
"""
import importlib.machinery
import importlib.util
import math
import os
import pathlib
import pwd
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PLACES = ("/usr/lib/mm-query", "/etc/mm-query", "/var/lib/mailman")
WARM_UP = 20

NOTHING = "int main(void) { return 0; }\n"

# One connection after the other on the socket that is its standard input.
AT_ONCE = """
#include <sys/socket.h>
#include <unistd.h>
int main(void) {
    char buffer[4096];
    for (;;) {
        int client = accept(0, NULL, NULL);
        if (read(client, buffer, sizeof buffer) > 0) (void)!write(client, "accept\\n", 7);
        close(client);
    }
}
"""

CONFIG = """\
{settings}
primary_hostname = mail.example.org
spool_directory = {dir}/spool
log_file_path = {dir}/log/%slog
pid_file_path = {dir}/exim.pid
local_interfaces = 127.0.0.1
tls_advertise_hosts =
keep_environment =
queue_only = true
split_spool_directory = true
smtp_accept_max_per_connection = 0
acl_smtp_rcpt = {rcpt}
acl_smtp_data = {data}

begin acl
acl_check_rcpt:
  accept
acl_check_data:
  accept
{acl}
begin routers
everyone:
  driver = accept
  transport = nowhere

begin transports
nowhere:
  driver = appendfile
  file = /dev/null
"""


def demo():
    """tools/demo, which knows how to start an Exim."""
    loader = importlib.machinery.SourceFileLoader("demo", str(REPOSITORY / "tools/demo"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("demo", loader))
    loader.exec_module(module)
    return module


def install(dist):
    """Program, wrapper and lists, in mounts that only this process and its children see."""
    for place in PLACES:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "bench", place], check=True)
    exim, lists = pwd.getpwnam("Debian-exim"), pwd.getpwnam("list")
    shutil.copy(dist / "mm-query-quick", "/usr/lib/mm-query/mm-query")
    shutil.copy(dist / "mm-query", "/usr/lib/mm-query/daemon")
    wrapper = pathlib.Path("/usr/lib/mm-query/mm-query-wrapper")
    shutil.copy(dist / "mm-query-wrapper", wrapper)
    os.chown(wrapper, 0, exim.pw_gid)
    wrapper.chmod(0o4750)
    conf = f"uid = {lists.pw_uid}\ngid = {lists.pw_gid}\n"
    pathlib.Path("/etc/mm-query/wrapper.conf").write_text(conf)
    shutil.copytree(REPOSITORY / "tests/fixtures/lists", "/var/lib/mailman/lists")
    for name, text in (("nothing", NOTHING), ("at-once", AT_ONCE)):
        command = ["cc", "-O2", "-static", "-x", "c", "-", "-o", f"/usr/lib/mm-query/{name}"]
        subprocess.run(command, input=text.encode(), check=True)
    return lists


def serve(user, arguments, **more):
    """A daemon, as Mailman's user."""
    command = ["/usr/lib/mm-query/daemon", "serve", "--log=warning", *arguments]
    return subprocess.Popen(command, user=user.pw_uid, group=user.pw_gid, env={}, **more)


def held(directory, user):
    """A daemon at a Unix socket that this process holds, as systemd would."""
    path = directory / "socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o666)
    listener.listen(128)
    script = ("exec 3<&0 </dev/null; LISTEN_FDS=1; LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; "
              "exec /usr/lib/mm-query/daemon serve --log=warning")
    daemon = subprocess.Popen(["/bin/sh", "-c", script], stdin=listener, user=user.pw_uid,
                              group=user.pw_gid, env={})
    return path, daemon, listener


def listening():
    """A socket on loopback, and its address in Exim's words."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    return listener, f"inet:127.0.0.1:{listener.getsockname()[1]}"


def exim(start, directory, socket_address, least=None):
    """An Exim with or without our snippets, or with `least` as its only question; returns its process
    and a session with it."""
    directory.mkdir()
    directory.chmod(0o755)
    user = pwd.getpwnam("Debian-exim")
    for name in ("spool", "log"):
        (directory / name).mkdir()
        os.chown(directory / name, user.pw_uid, user.pw_gid)
    snippets = directory.parent / "snippets"
    settings, acl, rcpt, data = "", "", "acl_check_rcpt", "acl_check_data"
    if socket_address is not None:
        own = f"MMQ_SOCKET = {socket_address}\n" if socket_address else ""
        settings = f"MMQ_DOMAINS = lists.example.org\n{own}.include {snippets}/macros"
        acl, rcpt, data = f".include {snippets}/acl\n", "mmq_rcpt", "mmq_data"
    if least is not None:
        acl, data = f"least:\n  warn set acl_m0 = {least}\n  accept\n", "least"
    text = CONFIG.format(dir=directory, settings=settings, acl=acl, rcpt=rcpt, data=data)
    (directory / "exim.conf").write_text(text)
    daemon, port = start(directory)
    return daemon, Session(port)


class Session:
    """An SMTP connection on which message follows message."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=90)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.hear("220")
        self.say("EHLO client.example.com", "250")

    def hear(self, code):
        heard = b""
        while not heard.endswith(b"\n") or heard.splitlines()[-1][3:4] == b"-":
            more = self.socket.recv(4096)
            if not more:
                sys.exit(f"Exim hung up after {heard!r}")
            heard += more
        if not heard.splitlines()[-1].startswith(code.encode()):
            sys.exit(f"not {code}: {heard!r}")

    def say(self, line, code):
        self.socket.sendall(line.encode() + b"\r\n")
        self.hear(code)

    def post(self):
        """A message of a member; the time from its final dot to the reply, in milliseconds."""
        self.say("MAIL FROM:<alice@example.org>", "250")
        self.say("RCPT TO:<team@lists.example.org>", "250")
        self.say("DATA", "354")
        text = "From: Alice <alice@example.org>\r\nTo: team@lists.example.org\r\nSubject: x\r\n\r\n"
        self.socket.sendall(text.encode() + b"Hello, all.\r\n" * 40)
        # Exim has read it all by then.
        time.sleep(0.002)
        began = time.perf_counter_ns()
        self.socket.sendall(b".\r\n")
        self.hear("250")
        return (time.perf_counter_ns() - began) / 1e6


def interval(values):
    """The median and its 95 % confidence interval, from ranks."""
    values = sorted(values)
    middle, reach = len(values) / 2, 0.98 * math.sqrt(len(values))
    low = values[max(0, math.floor(middle - reach))]
    high = values[min(len(values) - 1, math.ceil(middle + reach))]
    return statistics.median(values), low, high


def measure(sessions, rounds):
    """The times of each session, round by round; the order changes from round to round."""
    names = list(sessions)
    times = {name: [] for name in names}
    for number in range(rounds + WARM_UP):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            took = sessions[name].post()
            if number >= WARM_UP:
                times[name].append(took)
    return times


def compare(dist, rounds):
    user = install(dist)
    start = demo().start
    with tempfile.TemporaryDirectory(prefix="mm-query-bench.") as name:
        directory = pathlib.Path(name)
        directory.chmod(0o755)
        shutil.copytree(REPOSITORY / "exim-snippets", directory / "snippets")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            tcp = f"inet:127.0.0.1:{probe.getsockname()[1]}"
        path, by_unix, listener = held(directory, user)
        running = [serve(user, [f"--listen={tcp}"]), by_unix]
        answers, at_once = listening()
        running.append(subprocess.Popen(["/usr/lib/mm-query/at-once"], stdin=answers))
        ways = {
            "no check": (None,),
            "run": ("",),
            "readsocket, TCP": (tcp,),
            "readsocket, Unix": (path,),
            "least by run": (None, "${run{/usr/lib/mm-query/nothing}}"),
            "least by TCP": (None, f"${{readsocket{{{at_once}}}{{accept?\\n}}{{5s}}}}"),
        }
        sessions = {}
        try:
            time.sleep(1)
            for number, (way, asks) in enumerate(ways.items()):
                process, sessions[way] = exim(start, directory / str(number), *asks)
                running.append(process)
            times = measure(sessions, rounds)
            for number in range(len(ways)):
                log = (directory / str(number) / "log/mainlog").read_text()
                if "unchecked" in log:
                    sys.exit(f"a question had no answer:\n{log[-2000:]}")
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait()
            listener.close()
            answers.close()
    print(f"{rounds} messages by each way; milliseconds from the final dot to the reply")
    print(f"{'':<18}{'median':>8}   added (95 % confidence)    above the least")
    least = {"run": "least by run", "readsocket, TCP": "least by TCP",
             "readsocket, Unix": "least by TCP"}
    for way, own in times.items():
        shown = f"{way:<18}{statistics.median(own):>8.3f}"
        for base in ("no check", least.get(way)):
            if base in times and base != way:
                added, low, high = interval([a - b for a, b in zip(own, times[base])])
                shown += f"   {added:.3f} ({low:.3f} to {high:.3f})"
        print(shown)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if os.geteuid() != 0:
        sys.exit("tools/bench_exim.py: run me as root")
    if "MMQ_BENCH_INSIDE" not in os.environ:
        made = [place for place in map(pathlib.Path, PLACES) if not place.exists()]
        for place in made:
            place.mkdir(parents=True)
        command = ["unshare", "--mount", sys.executable, *sys.argv]
        status = subprocess.run(command, env={**os.environ, "MMQ_BENCH_INSIDE": "1"}).returncode
        for place in made:
            place.rmdir()
        sys.exit(status)
    compare(pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000)


if __name__ == "__main__":
    main()
