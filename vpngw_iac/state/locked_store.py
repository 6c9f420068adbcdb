"""A lock while it is held: numbers records, follows them, checks what becomes a document. The same for every store."""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vpngw_iac._version import __version__
from vpngw_iac.errors import StateError, StateMismatch, StateNewer
from vpngw_iac.state.check import check
from vpngw_iac.state.document import check_belongs, dump_checkpoint, dump_record
from vpngw_iac.state.journal import LoadedState, Record, Replay, StateReplaced
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
        self._replay: Replay | None = None
        """What is stored, with each record that was written since; None while nobody knows what that is."""
        self._since_document = 0
        self._one_writer = threading.RLock()

    def close(self) -> None:
        """Remember nothing of what is stored: others may write from now on."""
        self._replay = None

    def loaded(self) -> LoadedState | None:
        """What is stored, with each record that was written since it was read; raises `StateError`."""
        with self._one_writer:
            return self._known_if_any()

    def append(self, record: Record) -> Record:
        """Number the record and make it durable; raises `StateLocked` if the lock is not ours any more."""
        return self.append_all([record])[0]

    def append_all(self, records: Sequence[Record]) -> list[Record]:
        """Number the records and make them durable in one write, under one look at the lock.

        After a death within it those at the beginning may be there alone: nothing that depends on any may have begun.
        """
        with self._writing():
            replay = self._remembered()
            if replay is None:
                raise StateError(f"{self._name} has no state document yet: a new state is written before its journal.")
            numbered = self._append_to(replay, records)
            if self._since_document >= self.records_per_document:
                loaded = self._known()
                self._refuse_wrong(loaded.state, replay.loaded.state)
                self._write(loaded)
            return numbered

    def checkpoint(self, state: State) -> None:
        """Check and write the state document; what is still open in the journal goes with it."""
        with self._writing():
            loaded = self._known_if_any()
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
                self._append_to(Replay(loaded), [StateReplaced(at=self.store.utc(), state=state)])
                loaded = self._known()
            last = self._set_aside() if damaged else 0
            self._write(replace(loaded or LoadedState(state, last=last), state=_signed(state)))

    def renew(self) -> None:
        """Assure that the lock is still ours; raises `StateLocked`."""
        with self._writing():
            pass

    def _append_to(self, replay: Replay, records: Sequence[Record]) -> list[Record]:
        if replay.loaded.written_in < FORMAT:
            # An older version finds the document first, and says that it is too old; our records it calls damaged.
            replay = self._write(replay.result())
        numbered = [record.model_copy(update={"number": n}) for n, record in enumerate(records, replay.last + 1)]
        self._replay = None  # read again if it remains unknown whether these records were written
        self._write_record(b"".join(map(dump_record, numbered)))
        self._since_document += len(numbered)
        for record in numbered:
            replay.step(record)
        self._replay = replay
        return numbered

    def _remembered_or_damaged(self) -> tuple[LoadedState | None, bool]:
        """What is stored, or that it cannot be read; a state of something else, or a newer one, is never replaced."""
        try:
            return self._known_if_any(), False
        except (StateMismatch, StateNewer):
            raise
        except StateError:
            return None, True

    def _write(self, loaded: LoadedState) -> Replay:
        self._replay = None
        self._write_document(dump_checkpoint(loaded), loaded.last)
        self._since_document = 0
        self._replay = Replay(replace(loaded, notices=(), written_in=FORMAT))
        return self._replay

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

    def _remembered(self) -> Replay | None:
        """What is stored, read once: while the lock is ours nobody else writes."""
        if self._replay is None and (loaded := self.store.load()) is not None:
            self._replay = Replay(loaded)
        return self._replay

    def _known_if_any(self) -> LoadedState | None:
        replay = self._remembered()
        return replay.result() if replay else None

    def _known(self) -> LoadedState:
        assert self._replay is not None  # noqa: S101 - it was written just now
        return self._replay.result()

    @abstractmethod
    def _ours(self) -> contextlib.AbstractContextManager[None]:
        """A section in which the lock is ours; raises `StateLocked`. Never entered twice."""

    @abstractmethod
    def _write_record(self, line: bytes) -> None:
        """Append a line, or several, to the journal; durable on return."""

    @abstractmethod
    def _write_document(self, parts: Iterable[bytes], last: int) -> None:
        """Replace the document by these parts, keep the previous one, start a new journal after record `last`."""

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
