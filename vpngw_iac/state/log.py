"""The history of runs, told from journal records. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.journal import (
    Accepted,
    Begun,
    EntriesMoved,
    EntryRemoved,
    EntrySet,
    OperationClosed,
    Record,
    RunClosed,
    RunOpened,
    StateReplaced,
)

UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class LoggedOperation:
    """One operation as the journal tells it."""

    operation: str
    address: str
    step: str
    verb: str
    id: str
    begun: str
    status: str = UNFINISHED
    """``succeeded``, ``failed``, ``unconfirmed`` or, while nobody knows, ``unfinished``."""
    ended: str = ""
    seconds: float | None = None
    code: str = ""
    error: str = ""
    request: str = ""
    azure_operation: str = ""
    """Azure's id of the operation, from its operation URL."""
    ended_by: str = ""
    """The run that saw it end, if another one than the run that began it."""


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One run: who did what, when, and how it went."""

    run: str
    command: str
    actor: str
    correlation: str
    version: str
    started: str
    ended: str = ""
    seconds: float | None = None
    outcome: str = UNFINISHED
    """As the run closed it; ``unfinished`` for one that is running now or died."""
    exit_code: int | None = None
    operations: tuple[LoggedOperation, ...] = ()
    notes: tuple[str, ...] = ()
    """What happened to entries without an operation: forgotten, moved, the state replaced."""
    url: str = ""
    """Address of the pipeline run; empty for one from somewhere else."""
    approver: str = ""
    """Who approved it, as the pipeline says."""
    digest: str = ""
    """Decision digest of the saved plan that was carried out."""
    decisions: tuple[str, ...] = ()
    """What that plan decided, in words."""


@dataclass(slots=True)
class _Telling:
    """The log while it is being told; operations are kept by their id because another run may end them."""

    runs: list[LoggedRun] = field(default_factory=list)
    operations: dict[str, LoggedOperation] = field(default_factory=dict)
    begun_in: dict[str, int] = field(default_factory=dict)
    notes: dict[int, list[str]] = field(default_factory=dict)


def runs_of(records: Iterable[Record]) -> tuple[LoggedRun, ...]:
    """Every run that the records tell of, oldest first."""
    telling = _Telling()
    for record in records:
        _tell(telling, record)
    return tuple(
        replace(
            run,
            operations=tuple(op for key, op in telling.operations.items() if telling.begun_in[key] == position),
            notes=tuple(telling.notes.get(position, ())),
        )
        for position, run in enumerate(telling.runs)
    )


def _tell(telling: _Telling, record: Record) -> None:
    position = len(telling.runs) - 1
    match record:
        case RunOpened():
            telling.runs.append(_opened(record))
        case RunClosed(run=run):
            telling.runs[:] = [_closed(known, record) if known.run == run else known for known in telling.runs]
        case Begun():
            telling.operations[record.operation] = LoggedOperation(
                record.operation, record.address, record.step, record.verb, str(record.id), record.at
            )
            telling.begun_in[record.operation] = position
        case Accepted() if record.operation in telling.operations:
            known = telling.operations[record.operation]
            telling.operations[record.operation] = replace(
                known, request=record.request or known.request, azure_operation=azure_operation_of(record.url or "")
            )
        case OperationClosed() if record.operation in telling.operations:
            begun_in = telling.begun_in[record.operation]
            by = telling.runs[position].run if position != begun_in else ""
            telling.operations[record.operation] = _ended(telling.operations[record.operation], record, by)
        case EntryRemoved() if record.why != "deleted":
            telling.notes.setdefault(position, []).append(f"{record.why} {record.address}")
        case EntriesMoved(addresses=addresses):
            telling.notes.setdefault(position, []).extend(f"moved {old} to {new}" for old, new in addresses.items())
        case StateReplaced():
            telling.notes.setdefault(position, []).append(f"state replaced (serial {record.state.serial})")
        case _:
            pass


def replaced_since_success(records: Iterable[Record]) -> frozenset[str]:
    """Addresses of what was deleted since an apply or destroy last succeeded: it is not replaced twice.

    A `wait` that went well finished what was open and no more; neither that nor a `state` command is the plan's end.
    """
    found: set[str] = set()
    command = ""
    for record in records:
        if isinstance(record, EntryRemoved) and record.why == "deleted":
            found.add(record.address)
        elif isinstance(record, RunOpened):
            command = record.command
        elif isinstance(record, RunClosed) and record.outcome == "succeeded" and command in ("apply", "destroy"):
            found.clear()
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class LoggedWrite:
    """What we remember of one resource: ISO 8601 times, empty where there is none."""

    put: str = ""
    """When our last PUT of it ended well."""
    known: str = ""
    """When we last knew, or made, what it has."""


def own_writes(records: Iterable[Record]) -> Mapping[ArmId, LoggedWrite]:
    """When each resource was last written by a run of this deployment, and last known to be as remembered."""
    found: dict[ArmId, LoggedWrite] = {}
    begun: dict[str, Begun] = {}
    for record in records:
        match record:
            case Begun():
                begun[record.operation] = record
            case OperationClosed(status="succeeded") if (known := begun.get(record.operation)) is not None:
                before = found.get(known.id, LoggedWrite())
                found[known.id] = LoggedWrite(record.at if known.verb == "put" else before.put, record.at)
            case EntrySet():
                before = found.get(record.entry.id, LoggedWrite())
                found[record.entry.id] = replace(before, known=record.at)
            case StateReplaced():
                for entry in record.state.entries.values():
                    found[entry.id] = replace(found.get(entry.id, LoggedWrite()), known=record.at)
            case _:
                pass
    return found


def last_by_hand(records: Iterable[Record], but: str) -> RunOpened | None:
    """The last run that may have changed something, `but` this one, if it came from no pipeline."""
    opened = [r for r in records if isinstance(r, RunOpened) and r.command in ("apply", "destroy") and r.run != but]
    return opened[-1] if opened and not opened[-1].url else None


_LEFT = (UNFINISHED, "interrupted", "running", "waiting")
"""Outcomes of runs that may have left something. One that has failed came to its end, and people look at it first."""


def left_open(runs: Iterable[LoggedRun]) -> LoggedRun | None:
    """The last run that was to change something, if it died, was interrupted, or left while something was running."""
    changing = [run for run in runs if run.command in ("apply", "destroy")]
    return changing[-1] if changing and changing[-1].outcome in _LEFT else None


def ended_by(digest: str, records: Iterable[Record]) -> frozenset[str]:
    """Addresses that runs of the plan with this decision digest brought to an end, whoever saw them end.

    What such a run only found still open of another run is none of its doings. Once one has succeeded as a whole the
    plan is used up, and nothing of it counts any more.
    """
    told = list(records)
    runs = {record.run for record in told if isinstance(record, RunOpened) and record.digest == digest and digest}
    begun = {record.operation: record for record in told if isinstance(record, Begun)}
    found: set[str] = set()
    others: set[str] = set()
    current = ""
    for record in told:
        match record:
            case RunOpened(run=run):
                current, others = run, set()
            case OperationClosed(operation=operation) if (known := begun.get(operation)) is not None:
                if known.run not in runs:
                    others.add(known.address)
                elif record.status == "succeeded":
                    found.add(known.address)
            case EntrySet() | EntryRemoved() | EntriesMoved() if current in runs:
                found |= _addresses_of(record) - others
            case RunClosed(outcome="succeeded", run=run) if run in runs:
                found.clear()
            case _:
                pass
    return frozenset(found)


def _addresses_of(record: EntrySet | EntryRemoved | EntriesMoved) -> set[str]:
    match record:
        case EntrySet():
            return {record.entry.address}
        case EntryRemoved():
            return {record.address}
        case _:
            return set(record.addresses.values())


def _ended(known: LoggedOperation, record: OperationClosed, by: str) -> LoggedOperation:
    return replace(
        known,
        status=record.status,
        ended=record.at,
        seconds=seconds_between(known.begun, record.at),
        code=record.code,
        error=record.error,
        request=record.request or known.request,
        ended_by=by,
    )


def _opened(record: RunOpened) -> LoggedRun:
    return LoggedRun(
        record.run,
        record.command,
        record.actor,
        record.correlation,
        record.version,
        started=record.at,
        url=record.url,
        approver=record.approver,
        digest=record.digest,
        decisions=record.decisions,
    )


def _closed(known: LoggedRun, record: RunClosed) -> LoggedRun:
    return replace(
        known,
        ended=record.at,
        seconds=seconds_between(known.started, record.at),
        outcome=record.outcome,
        exit_code=record.exit_code,
    )


def seconds_between(start: str, end: str) -> float | None:
    """Seconds from one ISO 8601 time to another; None if one of them is not a time."""
    try:
        return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds(), 3)
    except (ValueError, TypeError):
        return None


def azure_operation_of(url: str) -> str:
    """The id that Microsoft's support asks for: what follows ``/operations/`` or ``/operationResults/`` in the URL."""
    path = url.partition("?")[0].rstrip("/")
    before, _, last = path.rpartition("/")
    return last if before.lower().endswith(("/operations", "/operationresults", "/operationstatuses")) else ""
