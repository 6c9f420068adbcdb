"""The write-ahead journal: what was about to happen before Azure was asked, and what happened after.

State is the last checkpoint document plus the replay of this journal, a pure fold that is idempotent by record number.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.model import FORMAT, Entry, Format, State


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Format = FORMAT
    """As of a state document; records of format 1 do not say it."""
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
    url: str = ""
    """Address of the pipeline run, if it is one."""
    approver: str = ""
    """Who approved it, as the pipeline says."""
    digest: str = ""
    """Decision digest of the saved plan that it carries out, if it does."""
    decisions: tuple[str, ...] = ()
    """What that plan decides, in words."""


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
    """It ended, as far as we know. ``unconfirmed``: whether Azure did it is unknown, and the operation stays open."""

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
    """An entry is gone: deleted in Azure, or forgotten."""

    record: Literal["entry-removed"] = "entry-removed"
    address: str
    why: Literal["deleted", "forgotten"]
    tagged: bool = False
    """It is forgotten and bears our tag still: its id is kept under the state's `forgotten`."""


class EntriesMoved(_Record):
    """Entries have other addresses: all in one record, so that no death loses one between two addresses."""

    record: Literal["entries-moved"] = "entries-moved"
    addresses: dict[str, str]
    """Old address to new address."""


class StateReplaced(_Record):
    """The whole state was written anew: pushed, rebuilt or renamed by hand. What follows builds on this one."""

    record: Literal["state-replaced"] = "state-replaced"
    state: State


class RunClosed(_Record):
    """A run gave up the lock in order."""

    record: Literal["run-closed"] = "run-closed"
    run: str
    outcome: str
    exit_code: int


Record = Annotated[
    RunOpened | Begun | Accepted | OperationClosed | EntrySet | EntryRemoved | EntriesMoved | StateReplaced | RunClosed,
    Field(discriminator="record"),
]

RECORD: TypeAdapter[Record] = TypeAdapter(Record)


@dataclass(frozen=True, slots=True)
class InFlight:
    """An operation that was begun and has not ended in the journal."""

    begun: Begun
    accepted: Accepted | None = None


@dataclass(frozen=True, slots=True)
class LoadedState:
    """The fold of a checkpoint and its journal."""

    state: State
    in_flight: Mapping[str, InFlight] = field(default_factory=dict)
    last: int = 0
    """Number of the last record that is folded in."""
    open_run: RunOpened | None = None
    """A run that never closed: it was killed, or it is running now."""
    notices: tuple[str, ...] = ()
    written_in: int = FORMAT
    """Format of the stored document."""


def fold(loaded: LoadedState, records: Iterable[Record]) -> LoadedState:
    """Replay records in order; those already folded in (by number) change nothing."""
    fresh = [record for record in records if record.number > loaded.last]
    if not fresh:
        return loaded
    replay = Replay(loaded)
    for record in fresh:
        replay.step(record)
    return replay.result()


class Replay:
    """A fold under way: works on copies, so that a thousand records do not copy the entries a thousand times."""

    def __init__(self, loaded: LoadedState) -> None:
        self.loaded = loaded
        """What it began with."""
        self.last = loaded.last
        """Number of the last record that is folded in."""
        self._state = loaded.state
        self._entries = dict(loaded.state.entries)
        self._holders: dict[ArmId, set[str]] | None = None
        self._addresses = {entry.id: address for address, entry in self._entries.items()}
        self._forgotten = set(loaded.state.forgotten)
        self._serial = loaded.state.serial
        self._flights: dict[str, InFlight] = dict(loaded.in_flight)
        self._open_run = loaded.open_run

    def step(self, record: Record) -> None:
        """Apply one record, if it comes after those before it."""
        if record.number <= self.last:
            return
        self.last = record.number
        match record:
            case RunOpened():
                self._open_run = record
            case RunClosed():
                self._open_run = None
            case Begun():
                self._flights[record.operation] = InFlight(record)
            case Accepted() if record.operation in self._flights:
                self._flights[record.operation] = replace(self._flights[record.operation], accepted=record)
            case OperationClosed(status="unconfirmed"):
                pass  # nobody knows: it stays in flight, and the next run asks Azure
            case OperationClosed():
                self._flights.pop(record.operation, None)
            case _:
                self._change_entries(record)

    def _change_entries(self, record: Record) -> None:
        match record:
            case EntrySet():
                self._set(record.entry)
                self._serial += 1
            case EntryRemoved():
                self._remove(record.address, tagged=record.tagged)
                self._serial += 1
            case EntriesMoved():
                self._move(record.addresses)
                self._serial += 1
            case StateReplaced():
                self._state, self._entries, self._holders = record.state, dict(record.state.entries), None
                self._addresses = {entry.id: address for address, entry in self._entries.items()}
                self._forgotten = set(record.state.forgotten)
                self._serial = record.state.serial
            case _:
                pass

    def _set(self, entry: Entry) -> None:
        """What has this id is this entry: an operation that was in flight while addresses moved knows the old one."""
        former = self._addresses.get(entry.id)
        if former in self._entries and self._entries[former].id == entry.id:
            del self._entries[former]
        replaced = self._entries.get(entry.address)
        if replaced is not None:
            self._addresses.pop(replaced.id, None)
        self._entries[entry.address] = entry
        if self._holders is not None:
            for needed in entry.needs:
                self._holders.setdefault(needed, set()).add(entry.address)
        self._forgotten.discard(entry.id)
        self._addresses[entry.id] = entry.address

    def _move(self, addresses: Mapping[str, str]) -> None:
        """Rename all at once. No run moves onto an entry that stays: a damaged journal that does loses that entry."""
        sources = {new: old for old, new in addresses.items() if old in self._entries}
        for lost in (sources.keys() | addresses.keys()) & self._entries.keys() - set(sources.values()):
            self._remove(lost)
        taken = {new: self._entries.pop(old) for new, old in sources.items()}
        self._entries |= {new: entry.model_copy(update={"address": new}) for new, entry in taken.items()}
        self._holders = None
        self._addresses |= {entry.id: new for new, entry in taken.items()}

    def _remove(self, address: str, *, tagged: bool = False) -> None:
        """Take an entry out; nobody can need its id any more."""
        gone = self._entries.pop(address, None)
        if gone is None:
            return
        self._addresses.pop(gone.id, None)
        self._forgotten |= {gone.id} if tagged else set()
        for holder in self._holders_of(gone.id):
            entry = self._entries.get(holder)
            if entry is not None and gone.id in entry.needs:
                kept = tuple(needed for needed in entry.needs if needed != gone.id)
                self._entries[holder] = entry.model_copy(update={"needs": kept})

    def _holders_of(self, target: ArmId) -> Collection[str]:
        """Addresses that may need an id, in no order; the index is made for the first removal."""
        if self._holders is None:
            self._holders = {}
            for address, entry in self._entries.items():
                for needed in entry.needs:
                    self._holders.setdefault(needed, set()).add(address)
        return self._holders.pop(target, ())

    def result(self) -> LoadedState:
        """What is loaded once all records are folded in."""
        changed = {
            "entries": dict(sorted(self._entries.items())),
            "forgotten": tuple(sorted(self._forgotten)),
            "serial": self._serial,
        }
        return replace(
            self.loaded,
            state=self._state.model_copy(update=changed),
            in_flight=dict(self._flights),
            open_run=self._open_run,
            last=self.last,
        )
