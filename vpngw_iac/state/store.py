"""The port behind which states are kept. A store keeps one deployment; the lock decides who may write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from vpngw_iac.secret import FingerprintKey
from vpngw_iac.state.journal import Memory, Record
from vpngw_iac.state.model import Binding, State


class Owner(BaseModel):
    """Who holds a lock; shown to whoever finds it taken. What a newer version adds is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    actor: str
    host: str
    process: int
    since: str
    """UTC, ISO 8601."""
    command: str
    url: str = ""
    """Address of the pipeline run, if there is one."""
    birth: str = ""
    """When the process began, as its own system tells it; tells it from a later one of the same number."""

    def describe(self) -> str:
        """One line: who, where, since when, doing what."""
        where = f" ({self.url})" if self.url else ""
        return f"{self.actor} on {self.host}, process {self.process}, `{self.command}` since {self.since}{where}"


class Hold(Protocol):
    """The lock, held. Every write goes through it, so that a run that lost the lock can write nothing."""

    notices: tuple[str, ...]
    """What taking the lock brought to light: the lock of a run that died was taken over."""

    def append(self, record: Record) -> Record:
        """Number the record and make it durable before returning; raises `StateLocked` if the lock is lost."""

    def checkpoint(self, state: State) -> None:
        """Write the state document, checked, and start a new journal; raises `StateLocked` likewise."""

    def renew(self) -> None:
        """Assure that the lock is still ours (after a long pause of the process); raises `StateLocked`."""


class Store(Protocol):
    """Where one deployment's state lives."""

    url: str
    binding: Binding | None
    """What the run is connected to, as soon as that is known: a state of something else is refused from then on."""

    def load(self) -> Memory | None:
        """Checkpoint plus journal, checked; None if there is no state yet. Raises `StateError`, never repairs."""

    def key(self, *, create: bool = False, like: FingerprintKey | None = None) -> FingerprintKey | None:
        """The store's fingerprint key; made when `create` and absent (`like` another one, of a former name)."""

    def hold(self, owner: Owner) -> AbstractContextManager[Hold]:
        """Take the lock for a run; raises `StateLocked` naming the owner. Released on exit, whatever happens."""

    def owner(self) -> Owner | None:
        """Who holds the lock now."""

    def claimant(self) -> Owner | None:
        """Who holds the lock, or left it behind when its run died."""

    def unlock(self) -> Owner | None:
        """Break the lock; returns whose it was."""

    def history(self) -> Iterable[Record]:
        """All journal records that were ever kept, oldest first."""

    def replace(self, hold: Hold, state: State) -> None:
        """Write another state document (push, rebuild, mv): keeps a copy of the previous one."""

    def backups(self) -> Sequence[str]:
        """Names of the kept copies, newest first."""
