"""Another process: takes the lock of a store as told on its command line, and says what happened, a line each."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any

from tests.state.samples import BINDING, DEPLOYMENT, a_state, an_owner, entry_set, opened
from vpngw_iac.errors import StateLocked
from vpngw_iac.state.file import FileStore


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def open_store(where: str) -> Any:
    """The file store in a folder, or the blob store at a URL."""
    if not where.startswith("azblob:"):
        return FileStore(Path(where), DEPLOYMENT, BINDING)
    from vpngw_iac.azure.blob_store import open_blob_store

    return open_blob_store(where, "simulator", DEPLOYMENT, BINDING, credential=no_credential, lease_seconds=15)


def no_credential() -> Any:
    raise AssertionError("the account key is in the environment")


def race(store: Any, name: str, rounds: int, marker: Path) -> None:
    """Take the lock again and again; nobody else may be inside meanwhile, as the marker file proves."""
    for turn in range(rounds):
        try:
            with store.locked(an_owner(f"{name}-{turn}", actor=name)) as locked:
                os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
                locked.append(entry_set(turn % 7))
                time.sleep(0.001)
                marker.unlink()
            say("won")
        except StateLocked as refusal:
            say(f"locked {refusal.message}")
            time.sleep(0.0005)


def stay(store: Any, name: str) -> None:
    """Hold the lock, append when told to, until killed."""
    with store.locked(an_owner(name, actor=name)) as locked:
        if store.load() is None:
            locked.checkpoint(a_state())
        locked.append(opened(name))
        say("held")
        for line in sys.stdin:
            with contextlib.suppress(StateLocked):
                if line.strip() == "append":
                    locked.append(entry_set(1))
                else:
                    locked.checkpoint(a_state(serial=99))
                say("written")
                continue
            say("lost")
    say("left")


if __name__ == "__main__":
    verb, where, who, *rest = sys.argv[1:]
    if verb == "race":
        race(open_store(where), who, int(rest[0]), Path(rest[1]))
    else:
        stay(open_store(where), who)
