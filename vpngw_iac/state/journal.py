"""The write-ahead journal: what was about to happen before Azure was asked, and what happened after.

State is the last checkpoint document plus the replay of this journal, a pure fold that is idempotent by record number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from vpngw_iac.arm import ArmId
from vpngw_iac.state.model import Entry, State


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = 0
    """Given by the store when it is appended; grows by one."""
    at: str
    """UTC, ISO 8601."""


class RunOpened(_Record):
    """A run took the lock."""

    record: Literal["run-opened"] = "run-opened"
    run: str
    command: str
    actor: str
    correlation: str
    version: str


class Begun(_Record):
    """An operation is about to be sent. Durable before Azure is asked."""

    record: Literal["begun"] = "begun"
    operation: str
    """Id of ours, unique per attempt."""
    address: str
    step: str
    verb: Literal["put", "delete", "tag", "act"]
    id: ArmId
    etag: str
    """Etag before, or ``absent``."""
    digest: str
    """Digest of the declared body (references in place of secrets)."""
    fingerprints: dict[str, dict[str, str]] = Field(default_factory=dict)
    process: str
    """Host and process id."""
    run: str
    entry: Entry | None = None
    """What the entry becomes when this operation ends well; none for a delete."""


class Accepted(_Record):
    """Azure took it."""

    record: Literal["accepted"] = "accepted"
    operation: str
    url: str | None = None
    request: str = ""


class OperationClosed(_Record):
    """It ended, as far as we know."""

    record: Literal["ended"] = "ended"
    operation: str
    status: Literal["succeeded", "failed", "unconfirmed"]
    code: str = ""
    error: str = ""
    request: str = ""


class EntrySet(_Record):
    """An entry was made or changed."""

    record: Literal["entry-set"] = "entry-set"
    entry: Entry


class EntryRemoved(_Record):
    """An entry is gone: deleted in Azure, forgotten or moved."""

    record: Literal["entry-removed"] = "entry-removed"
    address: str
    why: Literal["deleted", "forgotten", "moved"]


class RunClosed(_Record):
    """A run gave up the lock in order."""

    record: Literal["run-closed"] = "run-closed"
    run: str
    outcome: str
    exit_code: int


Record = Annotated[
    RunOpened | Begun | Accepted | OperationClosed | EntrySet | EntryRemoved | RunClosed,
    Field(discriminator="record"),
]

RECORD: TypeAdapter[Record] = TypeAdapter(Record)


@dataclass(frozen=True, slots=True)
class InFlight:
    """An operation that was begun and has not ended in the journal."""

    begun: Begun
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """The fold of a checkpoint and its journal."""

    state: State
    in_flight: Mapping[str, InFlight] = field(default_factory=dict)
    last: int = 0
    """Number of the last record that is folded in."""
    open_run: RunOpened | None = None
    """A run that never closed: it was killed, or it is running now."""
    notices: tuple[str, ...] = ()


def fold(memory: Memory, records: Iterable[Record]) -> Memory:
    """Replay records in order; those already folded in (by number) change nothing."""
    for record in records:
        if record.number > memory.last:
            memory = replace(_step(memory, record), last=record.number)
    return memory


def _step(memory: Memory, record: Record) -> Memory:
    flights: dict[str, Any] = dict(memory.in_flight)
    match record:
        case RunOpened():
            return replace(memory, open_run=record)
        case RunClosed():
            return replace(memory, open_run=None)
        case Begun():
            flights[record.operation] = InFlight(record)
        case Accepted() if record.operation in flights:
            flights[record.operation] = replace(flights[record.operation], accepted=record)
        case OperationClosed():
            flights.pop(record.operation, None)
        case EntrySet() | EntryRemoved():
            return replace(memory, state=_with_entry(memory.state, record))
        case _:
            pass
    return replace(memory, in_flight=flights)


def _with_entry(state: State, record: EntrySet | EntryRemoved) -> State:
    entries = dict(state.entries)
    if isinstance(record, EntrySet):
        entries[record.entry.address] = record.entry
    else:
        entries.pop(record.address, None)
    return state.model_copy(update={"entries": dict(sorted(entries.items())), "serial": state.serial + 1})
