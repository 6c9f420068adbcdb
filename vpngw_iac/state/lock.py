"""The lock of a state folder: the operating system's lock on a file, and beside it who holds it.

The lock of a process that died is free at once. A lock that somebody breaks is another file afterwards, so its former
holder finds out before each write: checking and writing happen in one guarded section.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from pydantic import ValidationError

from vpngw_iac.errors import StateError, StateLocked
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.disk import Folder, try_lock
from vpngw_iac.state.store import Owner, lost_lock

_LOCK, _OWNER = "lock", "lock.json"
_NEW_LOCK = b"The lock of this state. Remove it with `vpngw state unlock`, never by hand.\n"


@dataclass(frozen=True, slots=True)
class FileLock:
    """The lock as taken: valid while the file at its place is still the one that was locked."""

    descriptor: int
    file: tuple[int, int]
    run: str
    left_by: Owner | None = None
    """The run that died with the lock, if there was one."""


class FolderLock:
    """Takes, checks, breaks and gives back the lock of one folder."""

    def __init__(self, folder: Folder, deployment: str) -> None:
        self._folder = folder
        self._deployment = deployment

    def take(self, owner: Owner) -> FileLock:
        """Lock, or raise `StateLocked` naming who has it."""
        with self._folder.guarded():
            descriptor = self._folder.open(_LOCK, os.O_RDWR | os.O_CREAT)
            try:
                self._lock_or_refuse(descriptor)
                left_by = self._read_owner()
                self._folder.replace(_OWNER, [owner.model_dump_json(indent=1).encode()])
            except BaseException:
                os.close(descriptor)
                raise
            return FileLock(descriptor, _identity(os.fstat(descriptor)), owner.run, left_by)

    @contextlib.contextmanager
    def ours(self, claim: FileLock) -> Iterator[None]:
        """A section in which the lock is ours and cannot be broken; raises `StateLocked` if it is not ours any more."""
        with self._folder.guarded():
            if not self._is_ours(claim):
                raise lost_lock(self._deployment, self._read_owner())
            yield

    def give_back(self, claim: FileLock) -> None:
        """Release; a lock that is not ours any more is left to its holder."""
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, claim.descriptor)
            with self._folder.guarded():
                if self._is_ours(claim):
                    self._folder.remove(_OWNER)
                stack.close()  # under the guard, so that nobody meets a lock without an owner

    def owner(self) -> Owner | None:
        """Who holds the lock now; None when nobody does, whatever a run that died has left."""
        if not self._folder.has(_LOCK):
            return None
        try:
            with self._folder.guarded():
                return self._whose() if self._is_held() else None
        except StateError:  # a folder that we may only read: the lock cannot be tried
            return self._read_owner()

    def claimant(self) -> Owner | None:
        """Who holds the lock, or left it behind when its run died; None when there was none."""
        if not self._folder.has(_LOCK):
            return None
        with self._folder.guarded():
            return self._whose() if self._is_held() else self._read_owner()

    def unlock(self) -> Owner | None:
        """Break the lock; returns whose it was, also when its run died long ago, None when there was none."""
        if not self._folder.has(_LOCK):
            return None
        with self._folder.guarded():
            whose = self.claimant()
            if whose is not None:
                self._folder.replace(_LOCK, [_NEW_LOCK])
                self._folder.remove(_OWNER)
            return whose

    def _lock_or_refuse(self, descriptor: int) -> None:
        if not try_lock(descriptor):
            raise StateLocked(f"The state of {self._deployment} is locked by {self._whose().describe()}.")

    def _is_ours(self, claim: FileLock) -> bool:
        try:
            at_place = (self._folder.path / _LOCK).lstat()
        except FileNotFoundError:
            return False
        owner = self._read_owner()
        return _identity(at_place) == claim.file and owner is not None and owner.run == claim.run

    def _is_held(self) -> bool:
        """Whether a living process has the lock; tried under the guard, so that nobody is refused meanwhile."""
        descriptor = self._folder.open(_LOCK, os.O_RDWR)
        try:
            return not try_lock(descriptor)
        finally:
            os.close(descriptor)

    def _whose(self) -> Owner:
        nameless = Owner(run="?", actor="a process", host="this machine", process=0, since="?", command="?")
        return self._read_owner() or nameless

    def _read_owner(self) -> Owner | None:
        data = self._folder.read(_OWNER)
        if data is None:
            return None
        try:
            return Owner.model_validate_json(data)
        except ValidationError:
            return None


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
