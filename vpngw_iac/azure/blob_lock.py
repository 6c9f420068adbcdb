"""The lock of a state in Azure Storage: a short lease on one blob, renewed by a thread, and who holds it.

The same lease id also holds the live journal, so that the storage service itself refuses an append of a run that lost
the lock; whoever takes the lock first takes the journal away from the run before.
Lease states: https://learn.microsoft.com/rest/api/storageservices/lease-blob
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

from pydantic import ValidationError

from vpngw_iac.azure.blobs import Blobs, Conflict
from vpngw_iac.errors import CloudError, StateError, StateLocked
from vpngw_iac.state.store import Owner, lost_lock

LOCK = "lock"
_OWNER_IS_WRITTEN_WITHIN = 2.0
"""Seconds in which a run that took the lease says its name."""


class BlobLock:
    """Takes, asks for and breaks the lease of one state."""

    def __init__(self, blobs: Blobs, deployment: str, seconds: int) -> None:
        self._blobs = blobs
        self._deployment = deployment
        self._seconds = seconds

    def take(self, owner: Owner) -> tuple[Lease, Owner | None]:
        """Lease the lock, or raise `StateLocked` naming who has it; also says whose lease had run out."""
        lease = Lease(self._blobs, self._deployment, self._seconds, self.owner)
        with contextlib.suppress(Conflict):
            self._blobs.write(LOCK, b"", etag=None)
        self._acquire(lease)
        try:
            found = self._blobs.find(LOCK)
            self._blobs.set_metadata(LOCK, _metadata(owner), lease=lease.id)
        except BaseException:
            lease.drop(LOCK)
            raise
        return lease, _owner_in(found.metadata) if found else None

    def owner(self) -> Owner | None:
        """Who holds the lock now."""
        found = self._blobs.find(LOCK)
        if found is None or not found.leased:
            return None
        return _owner_in(found.metadata) or _NAMELESS

    def claimant(self) -> Owner | None:
        """Who holds the lock, or left it behind when its lease ran out; None when there was none."""
        found = self._blobs.find(LOCK)
        whose = _owner_in(found.metadata) if found else None
        return whose or (_NAMELESS if found and found.leased else None)

    def unlock(self) -> Owner | None:
        """Break the lease; returns whose it was, also when it ran out long ago, None when there was none."""
        whose = self.claimant()
        if whose is not None:
            self._blobs.break_lease(LOCK)
            with contextlib.suppress(Conflict):
                self._blobs.set_metadata(LOCK, {})
        return whose

    def _acquire(self, lease: Lease) -> None:
        """Try until the lock is ours or its holder has said its name; it may also be given back meanwhile."""
        give_up = time.monotonic() + _OWNER_IS_WRITTEN_WITHIN
        while True:
            with contextlib.suppress(Conflict):
                lease.add(LOCK)
                return
            holder = self.owner() or _NAMELESS
            if holder is not _NAMELESS or time.monotonic() > give_up:
                raise StateLocked(
                    f"The state of {self._deployment} is locked by {holder.describe()}.",
                    advice=f"Wait for that run. If it is dead, its lease runs out within {self._seconds} seconds, "
                    "or break it: `vpngw state unlock`.",
                )
            time.sleep(0.05)


class Lease:
    """One lease id on the lock and on the live journal, renewed in the background while it is held."""

    def __init__(self, blobs: Blobs, deployment: str, seconds: int, owner: Callable[[], Owner | None]) -> None:
        self.id = str(uuid.uuid4())
        self._blobs = blobs
        self._deployment = deployment
        self._seconds = seconds
        self._owner = owner
        self._leased: list[str] = []
        self._good_until = 0.0
        self._is_lost = False
        self._changing = threading.RLock()
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew_for_ever, name="vpngw-lease", daemon=True)

    @property
    def names(self) -> tuple[str, ...]:
        """Blobs that are leased."""
        return tuple(self._leased)

    def add(self, name: str) -> None:
        """Lease one more blob; raises `Conflict` if somebody else has it."""
        with self._changing:
            start = time.monotonic()
            self._blobs.acquire(name, self.id, self._seconds)
            self._leased.append(name)
            if len(self._leased) == 1:
                self._good_until = start + self._seconds

    def seize(self, name: str) -> None:
        """Lease a blob that belongs to whoever has the lock, taking it from the run that lost it."""
        with self._changing:
            try:
                self.add(name)
            except Conflict:
                self._blobs.break_lease(name)
                self.add(name)

    def drop(self, name: str) -> None:
        """Give one blob back."""
        with self._changing:
            self.forget(name)
            self._blobs.release(name, self.id)

    def forget(self, name: str) -> None:
        """A blob that was deleted needs no lease any more."""
        with self._changing:
            self._leased = [kept for kept in self._leased if kept != name]

    def assure(self) -> None:
        """Raise `StateLocked` if the lease is lost; renew it first if it may have run out unnoticed."""
        if self._is_lost:
            raise self.lost()
        if time.monotonic() > self._good_until - self._seconds / 4:
            self.renew()

    def renew(self) -> None:
        """Prolong everything that is leased; raises `StateLocked` if somebody has taken any of it."""
        with self._changing:
            if self._is_lost:
                raise self.lost()
            start = time.monotonic()
            try:
                for name in self._leased:
                    self._blobs.renew(name, self.id)
            except Conflict:
                self._is_lost = True
                raise self.lost() from None
            self._good_until = start + self._seconds

    def lost(self) -> StateLocked:
        """The error of a run that is not the holder any more."""
        self._is_lost = True
        try:
            holder = self._owner()
        except (CloudError, StateError):
            holder = None
        return lost_lock(self._deployment, holder)

    def end(self) -> None:
        """Stop renewing and give everything back; what is lost, or cannot be reached, runs out by itself."""
        self._ended.set()
        if self._renewer.is_alive():
            self._renewer.join(timeout=10)
        with self._changing, contextlib.suppress(CloudError, StateError):
            if not self._is_lost and LOCK in self._leased:
                self._blobs.set_metadata(LOCK, {}, lease=self.id, once=True)
            for name in reversed(self._leased.copy()):
                self.drop(name)

    @contextlib.contextmanager
    def held(self) -> Iterator[Lease]:
        """Renewed while inside, every quarter of its time; given back at the end."""
        self._renewer.start()
        try:
            yield self
        finally:
            self.end()

    def _renew_for_ever(self) -> None:
        while not self._ended.wait(self._seconds / 4):
            try:
                self.renew()
            except StateLocked:
                return
            except (CloudError, StateError):
                continue  # the network may come back; `assure` decides whether that was in time


_NAMELESS = Owner(run="?", actor="a run", host="an unknown host", process=0, since="?", command="?")


def _metadata(owner: Owner) -> dict[str, str]:
    """Metadata values are HTTP headers: text is percent-encoded, what is empty is left out."""
    values = {name: quote(str(value), safe=" @:/.,+-_()[]=") for name, value in owner.model_dump().items()}
    return {name: value for name, value in values.items() if value}


def _owner_in(metadata: object) -> Owner | None:
    if not isinstance(metadata, dict):
        return None
    try:
        return Owner.model_validate({name.lower(): unquote(value) for name, value in metadata.items()})
    except ValidationError:
        return None
