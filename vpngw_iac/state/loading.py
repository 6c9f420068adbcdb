"""Load a stored deployment as a `LoadedState`: checkpoint document, every journal record after it, then the check.

Knows what a store keeps, not where: the store hands out the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from vpngw_iac.errors import StateError
from vpngw_iac.state.check import check_entry
from vpngw_iac.state.document import (
    Damaged,
    Journal,
    check_belongs,
    load_checkpoint,
    load_journal,
    readable_records,
)
from vpngw_iac.state.journal import LoadedState, Record, fold
from vpngw_iac.state.model import Binding

if TYPE_CHECKING:
    from vpngw_iac.state.store import Store

REBUILD = "`vpngw state rebuild FILE` makes a new state from what Azure has"
COPY_FIRST = "Nothing was changed. Keep a copy of what is there first."


def load_state(store: Store, deployment: str, binding: Binding | None) -> LoadedState | None:
    """What is remembered, checked; None if nothing was ever written. Raises `StateError`, never repairs."""
    data = store.document()
    if data is None:
        _refuse_orphans(store)
        return None
    try:
        loaded = load_checkpoint(data, store.document_name)
    except Damaged as error:
        raise StateError(
            f"The state document {store.document_name} is damaged: {error.reason}",
            advice=_way_out_of_document(store),
            location=store.document_name,
        ) from None
    check_belongs(loaded.state, deployment, binding, store.document_name)
    loaded = _replay(loaded, store)
    problems = (*loaded.state.check(), *_open_problems(loaded))
    if problems:
        raise StateError(
            f"The state in {store.document_name} breaks {len(problems)} invariant(s): {_told(problems)}",
            advice=_way_out_of_document(store),
            location=store.document_name,
        )
    return loaded


def _open_problems(loaded: LoadedState) -> Iterator[str]:
    """What is wrong with the entries that open operations will make: a resumed run reads them."""
    for flight in loaded.in_flight.values():
        entry = flight.begun.entry
        if entry is not None:
            yield from (f"The open operation on {entry.address} {problem}" for problem in check_entry(entry))


def _told(problems: Sequence[str], *, most: int = 20) -> str:
    return " ".join(problems[:most]) + (f" And {len(problems) - most} more." if len(problems) > most else "")


def read_journal(name: str, data: bytes) -> Journal:
    """The records of one journal; raises `StateError` that names the line and the way out."""
    try:
        return load_journal(data, f"The journal {name}")
    except Damaged as error:
        raise StateError(
            f"The journal {name} is damaged at line {error.line}: {error.reason}",
            advice=(
                f"{COPY_FIRST} What stands before line {error.line} is good: cut the file there "
                f"(`head -n {error.line - 1}`), then run `vpngw plan`: what was made after it shows as not ours "
                f"and is taken over with --adopt. Or: {REBUILD}."
            ),
            location=f"{name}:{error.line}",
        ) from None


def history_of(store: Store) -> Iterator[Record]:
    """All journal records that a store keeps, oldest first."""
    last = 0
    for name, data in store.journals(0):
        for record in read_journal(name, data).records:
            if record.number > last:
                last = record.number
                yield record


def highest_number(store: Store) -> int:
    """The highest number of any record that can still be read, whatever is damaged."""
    return max((record.number for _, data in store.journals(0) for record in readable_records(data)), default=0)


def _replay(loaded: LoadedState, store: Store) -> LoadedState:
    fresh: list[Record] = []
    notices: list[str] = []
    last = loaded.last
    pieces = store.journals(loaded.last)
    for position, (name, data) in enumerate(pieces, start=1):
        journal = read_journal(name, data)
        if journal.torn:
            notices.append(_torn(name, journal, is_live=position == len(pieces)))
        for record in journal.records:
            if record.number > last + 1:
                raise _gap(last, record.number, name, store)
            if record.number > last:
                fresh.append(record)
                last = record.number
    return replace(fold(loaded, fresh), notices=(*loaded.notices, *notices))


def _torn(name: str, journal: Journal, *, is_live: bool) -> str:
    line = len(journal.records) + 1
    if is_live:
        return f"The last line ({line}) of {name} was torn when a run died while writing it; it is ignored."
    raise StateError(
        f"The closed journal {name} ends in a torn line ({line}).",
        advice=f"{COPY_FIRST} Remove that line, or: {REBUILD}.",
        location=f"{name}:{line}",
    )


def _gap(last: int, found: int, name: str, store: Store) -> StateError:
    missing = f"record {last + 1} is" if found == last + 2 else f"records {last + 1} to {found - 1} are"
    return StateError(
        f"The document {store.document_name} ends with record {last}, but {name} goes on with {found}: "
        f"{missing} missing.",
        advice=_way_out_of_document(store),
        location=name,
    )


def _refuse_orphans(store: Store) -> None:
    """A lost document must not look like a deployment that never was."""
    journals, backups = store.journals(0), store.backups()
    if any(data for _, data in journals) or backups:
        raise StateError(
            f"The state document {store.document_name} is missing, but its journal or backups are there.",
            advice=_way_out_of_document(store),
            location=store.document_name,
        )


def _way_out_of_document(store: Store) -> str:
    kept = [name for name in store.backups() if "damaged" not in name]
    if not kept:
        return f"{COPY_FIRST} There is no backup; {REBUILD}."
    return (
        f"{COPY_FIRST} Backups, newest first: {', '.join(kept[:5])}. Put one in place of {store.document_name}: "
        f"what was recorded since then is replayed from the journals. Or: {REBUILD}."
    )
