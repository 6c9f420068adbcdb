"""The bytes of a state: checkpoint document and lines of a journal, written, and read back with exact complaints.

Pure. A store only moves these bytes; what is wrong with them is said here, once for all stores.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vpngw_iac._version import __version__
from vpngw_iac.errors import StateError, StateMismatch, StateNewer
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.journal import RECORD, LoadedState, Record, fold
from vpngw_iac.state.model import FORMAT, Binding, Entry, State


class Mark(BaseModel):
    """How far a checkpoint document has come in the journal, and what was still open there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    last: int = 0
    """Number of the last record that the document contains."""
    open: tuple[Record, ...] = Field(default=())
    """Records that later ones refer to: the open run, operations in flight."""


class Damaged(Exception):
    """What is wrong with some bytes: `reason` says it, `line` is the line of a journal (from 1).

    Never leaves the stores: they turn it into a `StateError` that names the place and the way out.
    """

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


def dump_state(state: State) -> str:
    """The state as JSON for people and for `load_state`; two equal states give the same text."""
    return json.dumps(state.model_dump(mode="json"), indent=2, sort_keys=True) + "\n"


def load_state(text: str | bytes, *, name: str) -> State:
    """Read a state document, with or without the mark of a checkpoint; raises `StateError` naming it and the place."""
    try:
        return load_checkpoint(text, name).state
    except Damaged as error:
        raise StateError(f"{name} is not a state: {error.reason}", location=name) from None


def dump_checkpoint(loaded: LoadedState) -> Iterator[bytes]:
    """The checkpoint document: the state, and under ``journal`` how far it goes and what is still open.

    In parts, made one after the other: the whole of thousands of entries or of open operations, as objects and as
    text, needs twenty times their size.
    """
    open_records: list[Record] = [loaded.open_run] if loaded.open_run else []
    for flight in loaded.in_flight.values():
        open_records.append(flight.begun)
        open_records.extend([flight.accepted] if flight.accepted else [])
    open_records.sort(key=lambda record: record.number)
    entries = sorted(loaded.state.entries.items())
    mark = Mark(last=loaded.last).model_dump(mode="json")
    document = loaded.state.model_dump(mode="json", exclude={"entries"}) | {"entries": {}, "journal": mark}
    before, between, after = _LEFT_OUT.split(json.dumps(document, indent=1, sort_keys=True))
    yield f'{before}\n "entries": {{'.encode()
    yield from _parts(entries, _dump_entries)
    yield ("\n }" if entries else "}").encode() + f'{between}\n  "open": ['.encode()
    yield from _parts(open_records, _dump_open)
    yield (("\n  ]" if open_records else "]") + after + "\n").encode()


_LEFT_OUT = re.compile(r'\n "entries": \{\}|\n  "open": \[\]')
"""Where they stand in a document; a line break within a text is written otherwise."""

_AT_ONCE = 50
"""Entries or records of one part: each encoding leaves something to the collector."""

_T = TypeVar("_T")


def _parts(items: Sequence[_T], dump: Callable[[Sequence[_T]], str]) -> Iterator[bytes]:
    for start in range(0, len(items), _AT_ONCE):
        yield (("," if start else "") + dump(items[start : start + _AT_ONCE])).encode()


def _dump_entries(entries: Iterable[tuple[str, Entry]]) -> str:
    """Some entries as they stand in the document."""
    document = {"entries": {address: entry.model_dump(mode="json") for address, entry in entries}}
    text = json.dumps(document, indent=1, sort_keys=True)
    return text.removeprefix('{\n "entries": {').removesuffix("\n }\n}")


def _dump_open(records: Iterable[Record]) -> str:
    """Some open records as they stand in the document."""
    document = {"journal": Mark(open=tuple(records)).model_dump(mode="json", include={"open"})}
    text = json.dumps(document, indent=1, sort_keys=True)
    return text.removeprefix('{\n "journal": {\n  "open": [').removesuffix("\n  ]\n }\n}")


def load_checkpoint(data: str | bytes, name: str = "") -> LoadedState:
    """Read a checkpoint document of any format up to ours. Raises `Damaged`, or `StateNewer` for a later one."""
    document = _json_object(data)
    refuse_newer(document, name)
    written_in = document.get("format", 1)
    if document.get("kind") != "state":
        raise Damaged(f"it is a document of kind {document.get('kind')!r}, not 'state'.")
    raw_mark = document.pop("journal", {})
    try:
        state = State.model_validate(document)
        mark = Mark.model_validate(raw_mark)
    except ValidationError as error:
        raise Damaged(_first_problem(error)) from None
    return replace(fold(LoadedState(state), mark.open), state=state, last=mark.last, written_in=written_in)


def refuse_newer(document: Mapping[str, Any], name: str) -> None:
    """Raise `StateNewer` that names both versions if a newer vpngw wrote this document or this line of a journal."""
    found = document.get("format")
    if not isinstance(found, int) or found <= FORMAT:
        return
    writer = document.get("written_by") or document.get("version")
    by = f"vpngw {writer}" if isinstance(writer, str) else "a newer vpngw"
    raise StateNewer(
        f"{name} has format {found}, written by {by}; this vpngw {__version__} reads formats up to {FORMAT}.",
        advice="Use a newer version (`pip install -U vpngw-iac`); nothing was changed.",
        location=name,
    )


def check_belongs(state: State, deployment: str, binding: Binding | None, name: str) -> None:
    """Raise `StateMismatch` naming both sides if the state is of another deployment, cloud, endpoint or tenant."""
    if state.deployment != deployment:
        raise StateMismatch(
            f"{name} is the state of the deployment {state.deployment!r}, not of {deployment!r}.",
            advice="Give the right --state or --deployment; a renamed blueprint says formerly='OLD'.",
            location=name,
        )
    if binding is None:
        return
    pairs = {
        field: (getattr(state.binding, field), getattr(binding, field)) for field in ("cloud", "endpoint", "tenant")
    }
    for field, (stored, running) in pairs.items():
        if _plain(stored) != _plain(running):
            raise StateMismatch(
                f"{name} is bound to {field} {stored}, but this run uses {field} {running}.",
                advice=f"Run against {field} {stored}, or give this target a state of its own with --deployment NAME.",
                location=name,
            )


def _plain(text: str) -> str:
    return text.strip().rstrip("/").lower()


def dump_record(record: Record) -> bytes:
    """One line of the journal, its end included."""
    return (json.dumps(RECORD.dump_python(record, mode="json"), separators=(",", ":")) + "\n").encode()


@dataclass(frozen=True, slots=True)
class Journal:
    """A journal as read. `whole` is the length of what counts; after it stands, at most, a line that was torn."""

    records: tuple[Record, ...] = ()
    whole: int = 0
    torn: bool = False
    unended: bool = False
    """The last line is complete but for its end of line."""


def load_journal(data: bytes, name: str = "The journal") -> Journal:
    """Read the lines of a journal. A torn last line is left out and told; anything else wrong raises `Damaged`.

    A line that a newer version wrote raises `StateNewer`.
    """
    *lines, tail = data.split(b"\n")
    records: list[Record] = []
    for number, line in enumerate(lines, start=1):
        records.append(_record(line, number, name))
        _refuse_gap(records, number)
    whole = len(data) - len(tail)
    if not tail:
        return Journal(tuple(records), whole)
    try:
        records.append(_record(tail, len(records) + 1, name))
    except Damaged:
        return Journal(tuple(records), whole, torn=True)
    _refuse_gap(records, len(records))
    return Journal(tuple(records), len(data), unended=True)


def is_damaged(load: Callable[[bytes], object], data: bytes) -> bool:
    """Whether these bytes are nothing that `load_checkpoint`, or `load_journal`, reads."""
    try:
        load(data)
    except Damaged:
        return True
    return False


def readable_records(data: bytes) -> tuple[Record, ...]:
    """Every line that is a record, whatever stands between them."""
    found: list[Record] = []
    for number, line in enumerate(data.split(b"\n"), start=1):
        with contextlib.suppress(Damaged):
            found.append(_record(line, number, "The journal"))
    return tuple(found)


def _record(line: bytes, number: int, name: str) -> Record:
    try:
        document = _json_object(line)
        refuse_newer(document, f"{name}, line {number},")
        return RECORD.validate_python(document)
    except ValidationError as error:
        raise Damaged(_first_problem(error), number) from None
    except Damaged as error:
        raise Damaged(error.reason, number) from None


def _refuse_gap(records: list[Record], line: int) -> None:
    if len(records) > 1 and records[-1].number != records[-2].number + 1:
        raise Damaged(f"record {records[-1].number} follows record {records[-2].number}.", line)


def _json_object(data: str | bytes) -> dict[str, Any]:
    try:
        text = (data.decode() if isinstance(data, bytes) else data).removeprefix("\ufeff")
        document = json.loads(text, object_pairs_hook=_no_repetition)
    except UnicodeDecodeError as error:
        raise Damaged(f"byte {error.start} is not UTF-8 text.") from None
    except json.JSONDecodeError as error:
        end = " (it ends too early)" if error.pos >= len(text.rstrip()) else ""
        raise Damaged(f"{error.msg} at line {error.lineno}, column {error.colno}{end}.") from None
    except RecursionError:
        raise Damaged("it is nested too deeply.") from None
    except ValueError:  # Python refuses integers of more than 4,300 digits
        raise Damaged("a number in it has too many digits.") from None
    if not isinstance(document, dict):
        raise Damaged("it is not a JSON object.")
    return document


def _no_repetition(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, value in pairs:
        if key in document:
            raise Damaged(f"the key {key!r} stands there twice.")
        document[key] = value
    return document


def _first_problem(error: ValidationError) -> str:
    """Where and why, without showing the value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{place}: {first['msg']}{more}." if place else f"{first['msg']}{more}."
