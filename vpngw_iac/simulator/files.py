"""Keeping the content in a folder: an append-only log that survives a killed process and several at once.

Each line is one batch of records, written under an OS lock; a torn last line is ignored and cut off by the next
writer. When the log has grown far beyond its content it is written anew and put in place atomically.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from vpngw_iac.simulator.clock import Time
from vpngw_iac.simulator.store import Store
from vpngw_iac.simulator.wire import Json

FORMAT = 1
_COMPACT_FROM = 1_000_000
"""Bytes below which the log is left alone."""

if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _lock(handle: IO[bytes]) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)

    def _unlock(handle: IO[bytes]) -> None:
        handle.seek(0)
        msvcrt.locking(handle.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(handle: IO[bytes]) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _unlock(handle: IO[bytes]) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


class Files:
    """One folder with the content of a simulated cloud."""

    def __init__(self, directory: Path, store: Store, time: Time) -> None:
        self.directory = directory
        self._log = directory / "content.jsonl"
        self._store = store
        self._time = time
        self._inode = -1
        self._offset = 0
        self._live = 0
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        (directory / ".gitignore").write_text("*\n", encoding="utf-8")
        with self.turn():
            pass

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock, with the latest content loaded; what changed in between is written at the end."""
        with (self.directory / "lock").open("a+b") as handle:
            _lock(handle)
            try:
                self._read()
                try:
                    yield
                finally:
                    self._write()
            finally:
                _unlock(handle)

    def _read(self) -> None:
        if not self._log.exists():
            self._write_whole()
            return
        status = self._log.stat()
        if status.st_ino != self._inode:
            self._store.clear()
            self._inode, self._offset = status.st_ino, 0
            fresh = True
        else:
            fresh = False
        if status.st_size > self._offset:
            self._replay(fresh)

    def _replay(self, fresh: bool) -> None:
        with self._log.open("rb") as handle:
            handle.seek(self._offset)
            for line in handle:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                batch = json.loads(line)
                self._store.counter = max(self._store.counter, int(batch["counter"]))
                for record in batch["records"]:
                    self._store.apply_record(record)
                if fresh:
                    self._time.resume(batch["time"])
        self._live = self._live or self._offset

    def _write(self) -> None:
        records = self._store.take_changes()
        if not records:
            return
        line = self._line(records)
        with self._log.open("r+b") as handle:
            handle.truncate(self._offset)
            handle.seek(self._offset)
            handle.write(line)
        self._offset += len(line)
        if self._offset > max(_COMPACT_FROM, 4 * self._live):
            self._write_whole()

    def _write_whole(self) -> None:
        line = self._line(self._store.everything())
        temporary = self._log.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(line)
        temporary.replace(self._log)
        self._inode = self._log.stat().st_ino
        self._offset = self._live = len(line)

    def _line(self, records: list[Json]) -> bytes:
        batch = {"format": FORMAT, "time": self._time.save(), "counter": self._store.counter, "records": records}
        return json.dumps(batch, separators=(",", ":")).encode() + b"\n"
