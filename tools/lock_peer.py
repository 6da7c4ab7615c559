#!/usr/bin/env python
"""Takes Mailman's locks and saves lists by the rules that Mailman goes by.

Runs on Python 2.7 and 3. For tests: whoever changes lists beside Mailman must get on with this.

    lock_peer.py hold LOCK LIFETIME [claim]
        Takes the lock LOCK (or only lays claim to it), prints "held", reads a line. "release"
        gives it back; otherwise the process ends as if killed.
    lock_peer.py write LIST_DIR LOCK COUNT NAME [LIFETIME]
        COUNT times: opens the list, takes its lock, reloads it if its time says that it has
        changed, appends an address to ban_list and to accept_these_nonmembers, saves. Prints each
        address that it has saved.
    lock_peer.py differ
        Reads lines "OLD NEW", paths of pickles; prints for each the top-level keys whose values
        differ, then the added and the removed entries of ban_list, as JSON.
    lock_peer.py ban_list FILE
        Prints the ban_list of a pickle as JSON.
"""
from __future__ import print_function

import errno
import json
import os
import random
import socket
import sys
import time
import types

PYTHON2 = sys.version_info[0] == 2
if PYTHON2:
    import cPickle as pickle
else:
    import pickle

SLOP = 10


class Lost(Exception):
    """The lock is not ours any longer."""


class BounceInfo:
    """Stands for Mailman's class of that kind."""


def fake_mailman():
    module = types.ModuleType("Mailman.Bouncer")
    module._BounceInfo = BounceInfo
    BounceInfo.__module__, BounceInfo.__name__ = "Mailman.Bouncer", "_BounceInfo"
    BounceInfo.__qualname__ = "_BounceInfo"
    if PYTHON2:
        del BounceInfo.__qualname__
    sys.modules["Mailman"] = types.ModuleType("Mailman")
    sys.modules["Mailman.Bouncer"] = module


def ignoring(code, function, *args):
    """Calls the function; an error of this code does not matter."""
    try:
        return function(*args)
    except (OSError, IOError) as error:
        if error.errno != code:
            raise
        return None


class Lock:
    """A lock file in Mailman's protocol."""

    counter = 0

    def __init__(self, path, lifetime):
        self.path, self.lifetime = path, lifetime
        self.claim = "%s.%s.%d.%d" % (path, socket.gethostname(), os.getpid(), Lock.counter)
        Lock.counter += 1

    def lay_claim(self):
        mask = os.umask(0o002)
        with open(self.claim, "w") as file:
            file.write(self.claim)
        os.umask(mask)
        self.touch(self.claim)

    def touch(self, path):
        end = time.time() + self.lifetime
        ignoring(errno.ENOENT, os.utime, path, (end, end))

    def content(self):
        try:
            with open(self.path) as file:
                return file.read()
        except (OSError, IOError) as error:
            if error.errno != errno.ENOENT:
                raise
            return None

    def about(self):
        return ignoring(errno.ENOENT, os.stat, self.path)

    def is_held(self):
        self.touch(self.claim)
        about = self.about()
        return about is not None and about.st_nlink == 2 and self.content() == self.claim

    def take(self):
        self.lay_claim()
        while True:
            try:
                os.link(self.claim, self.path)
                self.touch(self.claim)
                return
            except OSError as error:
                if error.errno not in (errno.EEXIST, errno.ENOENT):
                    raise
            about = self.about()
            # A lock that is not there any longer counts as one that has ended.
            if time.time() > (int(about.st_mtime) if about else -1) + SLOP:
                self.break_it()
            time.sleep(random.random() * 2 + 0.01)

    def break_it(self):
        ignoring(errno.EPERM, self.touch, self.path)
        winner = self.content()
        ignoring(errno.ENOENT, os.unlink, self.path)
        if winner:
            ignoring(errno.ENOENT, os.unlink, winner)

    def release(self):
        if self.is_held():
            ignoring(errno.ENOENT, os.unlink, self.path)
        ignoring(errno.ENOENT, os.unlink, self.claim)


def loads(path):
    with open(path, "rb") as file:
        data = file.read()
    return pickle.loads(data) if PYTHON2 else pickle.loads(data, encoding="latin-1")


class List:
    """A list as a running Mailman holds it."""

    def __init__(self, directory, lock):
        self.path, self.lock, self.loaded = os.path.join(directory, "config.pck"), lock, 0
        self.load()

    def load(self):
        # Whole seconds, and no reading where the file is older than the last reading.
        if os.path.getmtime(self.path) < self.loaded:
            return
        now = int(time.time())
        self.state = loads(self.path)
        self.loaded = now

    def save(self):
        if not self.lock.is_held():
            raise Lost()
        mask = os.umask(0o007)
        temporary = "%s.tmp.%s.%d" % (self.path, socket.gethostname(), os.getpid())
        with open(temporary, "wb") as file:
            pickle.dump(self.state, file, 1)
        os.umask(mask)
        ignoring(errno.ENOENT, os.unlink, self.path + ".last")
        ignoring(errno.ENOENT, os.link, self.path, self.path + ".last")
        os.rename(temporary, self.path)


def hold(path, lifetime, claim=None):
    lock = Lock(path, float(lifetime))
    if claim:
        lock.lay_claim()
    else:
        lock.take()
    print("held")
    sys.stdout.flush()
    if sys.stdin.readline() == "release\n":
        lock.release()
    os._exit(0)


def write(directory, path, count, name, lifetime="300"):
    done = 0
    while done < int(count):
        address = "%s-%d@peer.example" % (name, done)
        lock = Lock(path, float(lifetime))
        # Opened before it is locked, as a runner does.
        mlist = List(directory, lock)
        lock.take()
        try:
            mlist.load()
            for key in ("ban_list", "accept_these_nonmembers"):
                mlist.state[key].append(address)
            mlist.save()
            print(address)
            sys.stdout.flush()
            done += 1
        except Lost:
            pass
        finally:
            lock.release()


def plain(value):
    """The value in a form that compares, instances by what is in them."""
    if isinstance(value, BounceInfo):
        return "instance", plain(value.__dict__)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    return type(value).__name__, value


def differ():
    # Python 2 would read ahead in "for line in sys.stdin".
    for line in iter(sys.stdin.readline, ""):
        old, new = [loads(path) for path in line.split()]
        same = lambda k: k in old and k in new and plain(old[k]) == plain(new[k])
        changed = [k for k in sorted(set(old) | set(new)) if not same(k)]
        before, after = list(old.get("ban_list", [])), list(new.get("ban_list", []))
        shown = lambda s: s.decode("latin-1") if isinstance(s, bytes) else s
        print(json.dumps({
            "keys": changed,
            "added": [shown(e) for e in after if e not in before],
            "removed": [shown(e) for e in before if e not in after],
        }))
        sys.stdout.flush()


def ban_list(path):
    shown = lambda s: s.decode("latin-1") if isinstance(s, bytes) else s
    print(json.dumps([shown(entry) for entry in loads(path)["ban_list"]]))


if __name__ == "__main__":
    fake_mailman()
    commands = {"hold": hold, "write": write, "differ": differ, "ban_list": ban_list}
    commands[sys.argv[1]](*sys.argv[2:])
