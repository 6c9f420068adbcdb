"""Keeping the content in a folder: an append-only log that survives a killed process and several at once.

The first line names the generation; each other line is one batch of records, written under an OS lock. A torn last
line is ignored and cut off by the next writer. When the log has grown far beyond its content it is written anew and
put in place atomically.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from vpngw_iac.errors import SimulatorDenied, SimulatorError
from vpngw_iac.files import is_denied, owned
from vpngw_iac.simulator.clock import Time
from vpngw_iac.simulator.store import DocumentStore
from vpngw_iac.simulator.wire import Json

FORMAT = 1
_RESET = "`vpngw simulator reset` empties it."
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

    def __init__(self, directory: Path, store: DocumentStore, time: Time) -> None:
        self.directory = directory
        self._log = directory / "content.jsonl"
        self._store = store
        self._time = time
        self._generation = ""
        self._offset = 0
        self._live = 0
        with _explained(directory):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            ignore = directory / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
        with self.turn():
            pass

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock, with the latest content loaded; what changed in between is written at the end."""
        with ExitStack() as stack:
            with _explained(self.directory):
                stack.enter_context(_locked(self.directory))
                self._read()
            try:
                yield
            finally:
                with _explained(self.directory):
                    self._write()

    def _read(self) -> None:
        if not self._log.exists():
            self._write_whole()
            return
        with self._log.open("rb") as handle:
            header = self._parsed(handle.readline())
            fresh = header.get("generation") != self._generation
            if fresh:
                if header.get("format") != FORMAT:
                    raise SimulatorError(f"{self._log} was written by another version of the simulator. {_RESET}")
                self._store.clear()
                self._generation, self._offset = header["generation"], handle.tell()
            if os.fstat(handle.fileno()).st_size > self._offset:
                handle.seek(self._offset)
                self._replay(handle, fresh)
            if fresh:
                self._live = self._offset

    def _replay(self, lines: IO[bytes], fresh: bool) -> None:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            self._replay_batch(line, fresh)
            self._offset += len(line)

    def _replay_batch(self, line: bytes, fresh: bool) -> None:
        batch = self._parsed(line)
        try:
            self._store.counter = max(self._store.counter, int(batch["counter"]))
            for record in batch["records"]:
                self._store.apply_record(record)
            if fresh:
                self._time.resume(batch["time"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SimulatorError(f"{self._log} is damaged. {_RESET}") from error

    def _parsed(self, line: bytes) -> Json:
        try:
            parsed: Json = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SimulatorError(f"{self._log} is damaged. {_RESET}") from error
        if not isinstance(parsed, dict):
            raise SimulatorError(f"{self._log} is damaged. {_RESET}")
        return parsed

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
        self._generation = uuid.uuid4().hex
        header = json.dumps({"format": FORMAT, "generation": self._generation}).encode() + b"\n"
        line = header + self._line(self._store.everything())
        temporary = self._log.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(line)
        temporary.replace(self._log)
        self._offset = self._live = len(line)

    def _line(self, records: list[Json]) -> bytes:
        batch = {"time": self._time.save(), "counter": self._store.counter, "records": records}
        return json.dumps(batch, separators=(",", ":")).encode() + b"\n"


def erase(directory: Path) -> None:
    """Forget the content of a folder, even one that can no longer be read."""
    with _explained(directory):
        if directory.exists():
            with _locked(directory):
                (directory / "content.jsonl").unlink(missing_ok=True)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with (directory / "lock").open("a+b") as handle:
        _lock(handle)
        try:
            yield
        finally:
            _unlock(handle)


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    """Say which folder the operating system complains about, whose it is, and what to do."""
    try:
        yield
    except OSError as error:
        place = str(error.filename or directory)
        if is_denied(error):
            told = f"The simulator's content {place} cannot be used: permission denied; {owned(place)}."
            raise SimulatorDenied(told, advice="Name a folder of your own with VPNGW_SIMULATOR_DIR.") from error
        raise SimulatorError(
            f"The simulator cannot keep its content in {directory}: {error.strerror or error}.",
            advice="Name a folder that can be written with --dir or VPNGW_SIMULATOR_DIR.",
        ) from error
