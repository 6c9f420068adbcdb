"""A lock while it is held: numbers records, follows them, checks what becomes a document. The same for every store."""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vpngw_iac._version import __version__
from vpngw_iac.errors import StateError, StateMismatch, StateNewer
from vpngw_iac.state.check import check
from vpngw_iac.state.document import check_belongs, dump_checkpoint, dump_record
from vpngw_iac.state.journal import LoadedState, Record, StateReplaced, fold
from vpngw_iac.state.model import FORMAT, State

if TYPE_CHECKING:
    from vpngw_iac.state.store import Store


def utc_now() -> str:
    """The time of day, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class LockedStoreBase(ABC):
    """What `FileStore` and `BlobStore` have in common while they are locked; they add how bytes are written."""

    records_per_document = 3000
    """A long run writes the document anew after so many records: replaying a journal stays quick."""

    def __init__(self, store: Store, notice: str = "") -> None:
        self.store = store
        self.notices: tuple[str, ...] = (notice,) if notice else ()
        self._name = store.document_name
        self._loaded: LoadedState | None = None
        self._since_document = 0
        self._one_writer = threading.RLock()

    def append(self, record: Record) -> Record:
        """Number the record and make it durable; raises `StateLocked` if the lock is not ours any more."""
        with self._writing():
            loaded = self._remembered()
            if loaded is None:
                raise StateError(f"{self._name} has no state document yet: a new state is written before its journal.")
            numbered = self._append_to(loaded, record)
            if self._since_document >= self.records_per_document and self._loaded is not None:
                self._refuse_wrong(self._loaded.state, loaded.state)
                self._write(self._loaded)
            return numbered

    def checkpoint(self, state: State) -> None:
        """Check and write the state document; what is still open in the journal goes with it."""
        with self._writing():
            loaded = self._remembered()
            self._refuse_wrong(state, loaded.state if loaded else None)
            self._write(replace(loaded or LoadedState(state), state=_signed(state)))

    def replace(self, state: State) -> None:
        """Write another state: told in the journal, the previous document kept, a damaged one put aside first."""
        with self._writing():
            loaded, damaged = self._remembered_or_damaged()
            if loaded is not None:
                state = _successor(state, loaded.state, self._name)
            self._refuse_wrong(state)
            if loaded is not None:
                self._append_to(loaded, StateReplaced(at=self.store.utc(), state=state))
                loaded = self._remembered()
            last = self._set_aside() if damaged else 0
            self._write(replace(loaded or LoadedState(state, last=last), state=_signed(state)))

    def renew(self) -> None:
        """Assure that the lock is still ours; raises `StateLocked`."""
        with self._writing():
            pass

    def _append_to(self, loaded: LoadedState, record: Record) -> Record:
        if loaded.written_in < FORMAT:
            # An older version finds the document first, and says that it is too old; our records it calls damaged.
            self._write(loaded)
        numbered = record.model_copy(update={"number": loaded.last + 1})
        self._loaded = None  # read again if it remains unknown whether this record was written
        self._write_record(dump_record(numbered))
        self._since_document += 1
        self._loaded = fold(replace(loaded, written_in=FORMAT), [numbered])
        return numbered

    def _remembered_or_damaged(self) -> tuple[LoadedState | None, bool]:
        """What is stored, or that it cannot be read; a state of something else, or a newer one, is never replaced."""
        try:
            return self._remembered(), False
        except (StateMismatch, StateNewer):
            raise
        except StateError:
            return None, True

    def _write(self, loaded: LoadedState) -> None:
        self._loaded = None
        self._write_document(dump_checkpoint(loaded), loaded.last)
        self._since_document = 0
        self._loaded = replace(loaded, notices=(), written_in=FORMAT)

    def _refuse_wrong(self, state: State, previous: State | None = None) -> None:
        check_belongs(state, self.store.deployment, self.store.binding, "What is to be written")
        problems = check(state, previous)
        if problems:
            raise StateError(
                f"A state with broken invariants is not written to {self._name}: {' '.join(problems)}",
                advice="The stored state is as it was. If you did not write this state by hand, please report it.",
            )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self._one_writer, self._ours():
            yield

    def _remembered(self) -> LoadedState | None:
        """What is stored, read once: while the lock is ours nobody else writes."""
        if self._loaded is None:
            self._loaded = self.store.load()
        return self._loaded

    @abstractmethod
    def _ours(self) -> contextlib.AbstractContextManager[None]:
        """A section in which the lock is ours; raises `StateLocked`. Never entered twice."""

    @abstractmethod
    def _write_record(self, line: bytes) -> None:
        """Append to the journal, durable on return."""

    @abstractmethod
    def _write_document(self, document: bytes, last: int) -> None:
        """Replace the document, keep the previous one, start a new journal after record `last`."""

    @abstractmethod
    def _set_aside(self) -> int:
        """Move a document or journal that cannot be read out of the way; returns the highest record number seen."""


def _signed(state: State) -> State:
    return state.model_copy(update={"written_by": __version__})


def _successor(state: State, current: State, name: str) -> State:
    """The state that takes the place of `current`: one history, a higher serial."""
    if state.lineage != current.lineage:
        raise StateMismatch(
            f"{name} has the lineage {current.lineage}, the other state has {state.lineage}: "
            "they are histories of different things.",
            advice="Write it to a --state or --deployment of its own.",
        )
    return state.model_copy(update={"serial": max(state.serial, current.serial + 1)})
