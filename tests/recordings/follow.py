"""One recording from its first line to its last: what each resource was told to be, and what Azure then showed.

Two questions about every answer. Was nothing told to change since the last write? Then there must be no difference.
Was the resource told to become something else since an earlier write, and did it? Then the earlier declaration must
see it; what "it" is comes from the raw requests and answers alone (`change`), not from the code under test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from tests.recordings.change import changed, covers
from tests.recordings.declared import Declared, Unsayable, children_told, declare, parts
from tests.recordings.exchange import Exchange, Skipped, read
from tests.recordings.template import outputs
from tests.recordings.template import resources as deployed
from vpngw_iac.arm import ArmId
from vpngw_iac.resources import type_of

Source = Literal["get", "output", "list", "inside its parent"]
_BY_LIST = ("list", "inside its parent")
_BACK, _SESSION = timedelta(minutes=5), timedelta(hours=6)
_SPREADS = timedelta(seconds=2)
"""So long after a write another front end may still show what was before it (lists of locks do), and neighbours of one
second may stand in the wrong order."""
_HARMLESS = re.compile(r"(?i)^(get|list|generate|supported|vpndevice|start|stop|reset$|disconnect|arp|route|check)")
"""Actions that change no setting."""
_SHARED_KEY = re.compile(r"(?i)^(?P<connection>.*/connections/[^/]+)/sharedkey(/reset)?$")


@dataclass
class Written:
    """One write of a resource and the first settled answer of each kind that came after it."""

    declared: Declared
    line: int
    date: str
    operation: str = ""
    adopted: bool = False
    """Declared as Azure showed it, because nobody recorded what was sent."""
    seen: dict[Source, Mapping[str, Any]] = field(default_factory=dict)


@dataclass
class Tally:
    """What one recording gave."""

    compared: set[int] = field(default_factory=set)
    """Lines whose answers were compared."""
    changes: int = 0
    """Real changes that were found."""
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    unsaid: list[str] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class Follow:
    """A recording on its way through our eyes."""

    def __init__(self) -> None:
        self.tally = Tally()
        self._known: dict[ArmId, list[Written]] = {}
        """Writes of each resource that exists, oldest first."""
        self._last: dict[tuple[ArmId, Source], Mapping[str, Any]] = {}
        self._outputs: dict[ArmId, dict[str, tuple[ArmId, int]]] = {}
        """Outputs of deployments that show a resource, as it was made in that line."""
        self._adoptable: set[ArmId] = set()
        """What somebody wrote in words that were not recorded."""
        self._clock: datetime | None = None

    def run(self, file: Path) -> Tally:
        """Every exchange in order."""
        for exchange in read(file):
            if isinstance(exchange, Skipped):
                self.tally.skipped.append(exchange)
            else:
                self._watch_the_clock(exchange)
                try:
                    self._take(exchange)
                except (LookupError, TypeError, ValueError, AttributeError) as error:
                    self._skip(exchange, f"cannot be interpreted ({type(error).__name__} {error})")
        return self.tally

    def _watch_the_clock(self, exchange: Exchange) -> None:
        """Exchanges of different sessions in one file use the same names for different things."""
        now, until = _time(exchange.date), _time(exchange.until)
        if now and self._clock and not -_BACK <= (now - self._clock) <= _SESSION:
            self._known.clear()
        self._clock = until or self._clock

    def _take(self, exchange: Exchange) -> None:
        if exchange.is_preview:
            self._skip(exchange, "speaks a contract from before Azure Resource Manager's first release")
        elif exchange.is_poll:
            self._poll(exchange)
        elif exchange.method in {"PUT", "PATCH", "DELETE", "POST"} and exchange.succeeded:
            self._write(exchange)
        elif exchange.method == "GET" and exchange.status == 200 and isinstance(exchange.answered, dict):
            self._read(exchange)

    # --- writes --------------------------------------------------------------------------------------------------

    def _write(self, exchange: Exchange) -> None:
        target, action = exchange.target, exchange.action
        if (shared := _SHARED_KEY.match(exchange.path)) is not None:
            self._set_key(exchange, ArmId(shared["connection"]))
        elif exchange.method == "POST" or target is None:
            if action is None:
                self._skip(exchange, "names no resource")
            elif action[0] in self._known and not _HARMLESS.match(action[1]):
                self._forget(action[0])
                self._skip(exchange, "leaves the resource as only Azure knows")
        elif exchange.method == "DELETE":
            self._forget(target)
        elif not exchange.recorded:
            self._forget(target)
            self._adoptable.add(target)
            self._skip(exchange, "its body was not recorded; compared from what the next GET shows on, as if adopted")
        elif target.type.lower() == "microsoft.resources/deployments":
            self._deploy(exchange, target)
        elif exchange.method == "PATCH":
            self._patch(exchange, target)
        elif exchange.method == "PUT":
            self._put(exchange, target, exchange.asked or {})

    def _put(self, exchange: Exchange, target: ArmId, body: Any) -> None:
        if type_of(target.type) is None:
            self._skip(exchange, f"{target.type} is not a type of ours")
            return
        if not isinstance(body, dict):
            self._forget(target)
            self._skip(exchange, "its body is not an object")
            return
        told = children_told(target, body)
        for known in [each for each in self._known if each.parent == target and each.type.lower() in told]:
            listed = {arm_id for arm_id, _ in parts(target, body)}
            if known not in listed:
                self._forget(known)
        for arm_id, raw in parts(target, body):
            self._declare(exchange, arm_id, raw)

    def _declare(self, exchange: Exchange, arm_id: ArmId, raw: Mapping[str, Any]) -> None:
        try:
            declared = declare(arm_id, raw)
        except Unsayable as problem:
            self._forget(arm_id)
            self._skip(exchange, str(problem))
            return
        self.tally.unsaid += [f"{exchange}: {text}" for text in declared.unsaid]
        operation = exchange.headers.get("azure-asyncoperation", "").partition("?")[0].lower()
        written = Written(declared, exchange.line, exchange.date, operation)
        self._known.setdefault(arm_id, []).append(written)

    def _deploy(self, exchange: Exchange, target: ArmId) -> None:
        shown = self._outputs[target] = {}
        for each in deployed(target.resource_group, exchange.asked):
            if isinstance(each, str):
                self._skip(exchange, each)
                continue
            self._put(exchange, each.id, each.body)
            for output, name in outputs(exchange.asked).items():
                if name.rpartition("/")[2] == each.id.name:
                    shown[output] = (each.id, exchange.line)

    def _patch(self, exchange: Exchange, target: ArmId) -> None:
        """Tags are what can be patched (R-OPS-14); the rest stays as it was."""
        before = self._known.get(target)
        if not before or not isinstance(exchange.asked, dict) or set(exchange.asked) - {"tags"}:
            self._forget(target)
            self._skip(exchange, "patches what was not written here")
            return
        self._declare(exchange, target, {**before[-1].declared.raw, **exchange.asked})

    def _set_key(self, exchange: Exchange, connection: ArmId) -> None:
        """A key that was put is part of the connection from now on; one that was reset nobody knows."""
        before = self._known.get(connection)
        if exchange.method == "PUT" and isinstance(exchange.asked, dict) and "value" in exchange.asked:
            if before:
                raw = before[-1].declared.raw
                properties = {**(raw.get("properties") or {}), "sharedKey": exchange.asked["value"]}
                self._declare(exchange, connection, {**raw, "properties": properties})
        else:
            self._forget(connection)
            self._skip(exchange, "sets a key that is not in the recording")

    def _forget(self, target: ArmId) -> None:
        self._adoptable.discard(target)
        for known in [each for each in self._known if target.contains(each)]:
            del self._known[known]

    def _poll(self, exchange: Exchange) -> None:
        """An update that failed left something that nobody declared."""
        answer = exchange.answered if isinstance(exchange.answered, dict) else {}
        if answer.get("status") in {"Failed", "Canceled"}:
            for arm_id, writes in list(self._known.items()):
                if writes[-1].operation and writes[-1].operation.endswith(exchange.path.lower()):
                    self._forget(arm_id)
                    self._skip(exchange, f"the write of {arm_id.name} failed")

    # --- reads ---------------------------------------------------------------------------------------------------

    def _read(self, exchange: Exchange) -> None:
        answer = exchange.answered
        path = exchange.path.lower()
        if "/virtualnetworkgateways/" in path and path.endswith("/connections"):
            return  # these items serve for ids only: they lack most properties
        if isinstance(answer.get("value"), list) and exchange.target is None:
            self._read_list(exchange, answer)
        elif exchange.target is not None and exchange.target in self._outputs:
            self._read_outputs(exchange, exchange.target, answer)
        elif "id" in answer:
            self._see_all(exchange, answer, "get")

    def _read_list(self, exchange: Exchange, answer: Mapping[str, Any]) -> None:
        for item in answer["value"]:
            if _is_listed(exchange, item):
                self._see_all(exchange, item, "list")
        if answer.get("nextLink") or exchange.is_a_page:
            return
        path = exchange.path.lower()
        listed = {_id(item).lower() for item in answer["value"] if isinstance(item, dict)}
        for arm_id, writes in self._known.items():
            is_here = arm_id.key.rpartition("/")[0] == path
            if is_here and arm_id.key not in listed and not self._may_still_spread(exchange, writes[-1]):
                self.tally.compared.add(exchange.line)
                self.tally.false.append(f"{exchange} (list), declared in line {writes[-1].line}: not there")

    def _read_outputs(self, exchange: Exchange, deployment: ArmId, answer: Mapping[str, Any]) -> None:
        """`reference()` answered the properties that a GET would have shown when the deployment ended."""
        outputs_now = (answer.get("properties") or {}).get("outputs") or {}
        for name, (arm_id, line) in self._outputs[deployment].items():
            value, writes = (outputs_now.get(name) or {}).get("value"), self._known.get(arm_id)
            if writes and writes[-1].line == line and isinstance(value, dict):
                envelope = {key: item for key, item in writes[-1].declared.raw.items() if key != "properties"}
                self._see_all(exchange, {**envelope, "id": str(arm_id), "properties": value}, "output")

    def _see_all(self, exchange: Exchange, document: Any, source: Source) -> None:
        try:
            arm_id = ArmId(_id(document))
        except (ValueError, KeyError, TypeError):
            return  # an item of a list that is not a resource
        for each, shown in parts(arm_id, document):
            self._see(exchange, each, shown, source if each == arm_id else "inside its parent")

    def _see(self, exchange: Exchange, arm_id: ArmId, shown: Mapping[str, Any], source: Source) -> None:
        writes = self._known.get(arm_id)
        if not writes and (arm_id not in self._adoptable or source != "get"):
            return
        state = str((shown.get("properties") or {}).get("provisioningState") or "Succeeded")
        if state != "Succeeded":
            return  # busy or failed: plan waits or repairs, it does not compare
        if not writes:
            self._adopt(exchange, arm_id, shown)
            return
        if self._is_older(exchange, arm_id, shown, source):
            self._skip(exchange, "answered within seconds of a write, and shows what was before it")
            return
        now = writes[-1]
        self.tally.compared.add(exchange.line)
        for path in now.declared.differences(shown, by_list=source in _BY_LIST):
            self.tally.false.append(f"{exchange} ({source}), declared in line {now.line}: {path}")
        now.seen.setdefault(source, shown)
        self._last[arm_id, source] = shown
        for earlier in writes[:-1]:
            self._look_back(exchange, earlier, now, shown, source)

    def _adopt(self, exchange: Exchange, arm_id: ArmId, shown: Mapping[str, Any]) -> None:
        """Declare all that Azure shows: what comes after it is compared with that."""
        try:
            declared = declare(arm_id, shown)
        except Unsayable:
            return
        self._known[arm_id] = [Written(declared, exchange.line, exchange.date, adopted=True)]

    def _is_older(self, exchange: Exchange, arm_id: ArmId, shown: Mapping[str, Any], source: Source) -> bool:
        """Whether the answer comes so soon after the write that it may, and does, show what was before it."""
        *before, now = self._known[arm_id]
        answered, written = _time(exchange.date), _time(now.date)
        if answered is not None and written is not None and answered < written - _SPREADS:
            return True  # sessions that were put together out of order
        if not self._may_still_spread(exchange, now) or not now.declared.differences(shown, by_list=source in _BY_LIST):
            return False
        seen_before = not now.seen and self._last.get((arm_id, source)) == shown
        return seen_before or any(not each.declared.differences(shown, by_list=source in _BY_LIST) for each in before)

    def _may_still_spread(self, exchange: Exchange, write: Written) -> bool:
        answered, written = _time(exchange.date), _time(write.date)
        return answered is not None and written is not None and answered - written <= _SPREADS

    def _look_back(
        self, exchange: Exchange, earlier: Written, now: Written, shown: Mapping[str, Any], source: Source
    ) -> None:
        before = earlier.seen.get(source)
        if before is None or earlier.adopted or now.adopted:
            return
        found = earlier.declared.differences(shown, by_list=source in _BY_LIST)
        for path in earlier.declared.left_after_update(shown) if source == "get" else ():
            self.tally.missed.append(f"{exchange}: an update back to line {earlier.line} would leave {path}")
        for path in self._changes(earlier, now, before, shown):
            if any(covers(each, path) for each in found):
                self.tally.changes += 1
            else:
                self.tally.missed.append(f"{exchange} ({source}), declared in line {earlier.line}: {path}")

    def _changes(
        self, earlier: Written, now: Written, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[str]:
        return changed(type(now.declared.resource), earlier.declared.raw, now.declared.raw, before, after)

    def _skip(self, exchange: Exchange, why: str) -> None:
        self.tally.skipped.append(Skipped(exchange.line, why))


def _is_listed(exchange: Exchange, item: Any) -> bool:
    """Whether the item is a document of what is listed: usages and inventories name ids of other things."""
    try:
        segment = ArmId(_id(item)).type.rpartition("/")[2]
    except (ValueError, TypeError):
        return False
    return exchange.path.lower().endswith(f"/{segment.lower()}")


def _id(document: Mapping[str, Any]) -> str:
    """The id that an answer names; settings of a subscription leave out the first slash."""
    text = str(document["id"]) if "id" in document else ""
    return f"/{text}" if text.lower().startswith("subscriptions/") else text


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
