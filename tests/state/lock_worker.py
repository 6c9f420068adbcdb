"""Another process: takes the lock of a file store as told on its command line, and says what happened, a line each."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from tests.state.samples import BINDING, DEPLOYMENT, a_state, an_owner, entry_set, opened
from vpngw_iac.errors import StateLocked
from vpngw_iac.state.file import FileStore


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def race(store: FileStore, name: str, rounds: int) -> None:
    """Take the lock again and again; nobody else may be inside meanwhile."""
    marker = store.folder.parent / "inside"
    for turn in range(rounds):
        try:
            with store.hold(an_owner(f"{name}-{turn}", actor=name)) as hold:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
                hold.append(entry_set(turn % 7))
                time.sleep(0.001)
                marker.unlink()
            say("won")
        except StateLocked as locked:
            say(f"locked {locked.message}")
            time.sleep(0.0005)


def stay(store: FileStore, name: str) -> None:
    """Hold the lock, append when told to, until killed."""
    with store.hold(an_owner(name, actor=name)) as hold:
        if store.load() is None:
            hold.checkpoint(a_state())
        hold.append(opened(name))
        say("held")
        for line in sys.stdin:
            with contextlib.suppress(StateLocked):
                if line.strip() == "append":
                    hold.append(entry_set(1))
                else:
                    hold.checkpoint(a_state(serial=99))
                say("written")
                continue
            say("lost")
    say("left")


if __name__ == "__main__":
    verb, folder, name, *rest = sys.argv[1:]
    store = FileStore(Path(folder), DEPLOYMENT, BINDING)
    race(store, name, int(rest[0])) if verb == "race" else stay(store, name)
