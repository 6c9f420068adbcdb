"""The port behind which states are kept. A store keeps one deployment; the lock decides who may write."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from vpngw_iac.errors import StateError, StateLocked, UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.secret import FingerprintKey
from vpngw_iac.state.check import checked_name
from vpngw_iac.state.journal import LoadedState, Record
from vpngw_iac.state.loading import history_of, load_state
from vpngw_iac.state.locked_store import LockedStoreBase
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


def lost_lock(deployment: str, holder: Owner | None) -> StateLocked:
    """The error of a run that is not the holder any more."""
    now = f"{holder.describe()} holds it now" if holder else "nobody holds it now"
    return StateLocked(
        f"The lock on the state of {deployment} was taken from this run; {now}.",
        advice="Nothing more is started. What runs in Azure goes on; the next `vpngw apply` resumes it.",
    )


class LockedStore(Protocol):
    """The lock, held. Every write goes through it, so that a run that lost the lock can write nothing."""

    notices: tuple[str, ...]
    """What taking the lock brought to light: the lock of a run that died was taken over."""

    def loaded(self) -> LoadedState | None:
        """What is stored; None if nothing was ever written. Read once: while the lock is ours nobody else writes."""

    def append(self, record: Record) -> Record:
        """Number the record and make it durable before returning; raises `StateLocked` if the lock is lost."""

    def append_all(self, records: Sequence[Record]) -> list[Record]:
        """The same for several at once: one write, and one look at the lock."""

    def checkpoint(self, state: State) -> None:
        """Write the state document, checked, and start a new journal; raises `StateLocked` likewise."""

    def renew(self) -> None:
        """Assure that the lock is still ours (after a long pause of the process); raises `StateLocked`."""


@dataclass(frozen=True, slots=True)
class PreparedPlace:
    """What was done so that states can be kept at a place, and what people should know or do themselves."""

    made: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    """What protects the place, and how to give others their rights."""


class _Lock(Protocol):
    """The lock of a store."""

    def owner(self) -> Owner | None:
        """Who holds it now."""

    def claimant(self) -> Owner | None:
        """Who holds it, or left it behind when its run died."""


class Store(ABC):
    """Where one deployment's state lives; `FileStore` and `BlobStore` add how bytes are kept."""

    url: str
    document_name: str
    """How people find the checkpoint document (a path, a URL)."""
    key_is_apart = True
    """Whether the key, as it was read last, lies where it can have rights of its own."""
    key_name = ""
    """Where the key is, as it was read last."""
    key_vault = ""
    """Address of the vault in which the key was when it was read last; empty for a key that the store keeps."""

    def __init__(self, deployment: str, binding: Binding | None, lock: _Lock, utc: Callable[[], str]) -> None:
        """`binding` is what this run is connected to; None (nothing was asked yet) skips that comparison."""
        self.deployment = checked_name(deployment)
        self.binding = binding
        self.utc = utc
        self.owner, self.claimant = lock.owner, lock.claimant

    def load(self) -> LoadedState | None:
        """Checkpoint plus journal, checked; None if nothing was ever written. Raises `StateError`, never repairs."""
        return load_state(self, self.deployment, self.binding)

    def key(self, *, create: bool = False, like: FingerprintKey | None = None) -> FingerprintKey | None:
        """The fingerprint key; made when `create` and absent (`like` another one, of a former name)."""
        name, data = self._read_key()
        if data is None and create:
            self._write_key((like or FingerprintKey.new()).secret.hex().encode())
            name, data = self._read_key()
        self.key_name = name
        return None if data is None else _key_in(data, name)

    def history(self) -> Iterator[Record]:
        """All journal records that were ever kept, oldest first."""
        return history_of(self)

    def replace(self, locked: LockedStore, state: State) -> None:
        """Write another state document (push, rebuild, mv), keeping a copy of the previous one."""
        if not isinstance(locked, LockedStoreBase) or locked.store is not self:
            raise UsageError("A state can only be replaced under the lock of its own store.")
        locked.replace(state)

    def keep_key_in(self, vault: str) -> None:
        """Have the key in a vault from the next `prepare` on, or from when it is made.

        Raises `UsageError` where a store keeps its key itself, or for what is no vault.
        """
        raise UsageError(
            f"The key of {self.url} stays where it is, as private as the rest.",
            advice="A vault is for states in Azure Storage: leave --key-vault out, or name azblob://....",
        )

    @abstractmethod
    def locked(self, owner: Owner) -> AbstractContextManager[LockedStore]:
        """Take the lock for a run; raises `StateLocked` naming who has it. Released on exit, whatever happens."""

    @abstractmethod
    def unlock(self) -> Owner | None:
        """Break the lock; returns whose it was. A living holder finds out at its next write."""

    @abstractmethod
    def prepare(self) -> PreparedPlace:
        """Make the place of the state, and put its key where it belongs; nothing that is there is lost."""

    @abstractmethod
    def backups(self) -> Sequence[str]:
        """Names of the kept copies, newest first."""

    @abstractmethod
    def document(self) -> bytes | None:
        """The checkpoint document, if there is one."""

    @abstractmethod
    def journals(self, after: int) -> Sequence[tuple[str, bytes]]:
        """Names and bytes of the journals that may hold records above this number, oldest first, the live one last."""

    @abstractmethod
    def _read_key(self) -> tuple[str, bytes | None]:
        """Where the key lies, and its bytes."""

    @abstractmethod
    def _write_key(self, data: bytes) -> None:
        """Keep a key, unless another run was quicker."""


def _key_in(data: bytes, name: str) -> FingerprintKey:
    try:
        secret = bytes.fromhex(data.decode("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != 32:
        raise StateError(
            f"The fingerprint key {name} is damaged.",
            advice="Restore it, or remove it: secrets are then unverified until `vpngw apply --resend-secrets`.",
            location=name,
        )
    return FingerprintKey(secret)
