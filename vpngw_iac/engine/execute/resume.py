"""Pick up what an earlier run left in flight. Asks Azure first; starts nothing."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.difference import compare
from vpngw_iac.engine.compare.document import lookup
from vpngw_iac.engine.compare.secret_masking import applied_of
from vpngw_iac.engine.execute import event as events
from vpngw_iac.engine.execute.event import OperationResult
from vpngw_iac.engine.execute.retry import SHOWN_AFTER, poll_delay
from vpngw_iac.engine.execute.stop import Limits, ReadInterrupted, Stop
from vpngw_iac.engine.order.transit import half_of
from vpngw_iac.engine.plan.inputs import deployment_in
from vpngw_iac.engine.ports import Clock, Cloud, Observed
from vpngw_iac.errors import AzureIds, Throttled, Unavailable
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources import model_of, type_of
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.secret import Fingerprint
from vpngw_iac.state.journal import EntryRemoved, EntrySet, InFlight, OperationClosed
from vpngw_iac.state.log import seconds_between
from vpngw_iac.state.model import Entry
from vpngw_iac.state.store import LockedStore

_Closing = Literal["succeeded", "failed", "not-started"]
"""``not-started``: nothing of it is in Azure, and nothing says that Azure ever took it."""

_NEVER_ARRIVED = "it never reached Azure; apply begins it again"
_NOT_CARRIED_OUT = "Azure shows nothing of it; apply begins it again"
_STILL_THERE = "it is still there; apply begins it again"
_NOTHING_DONE = frozenset({_NEVER_ARRIVED, _NOT_CARRIED_OUT, _STILL_THERE})


MOST_UNREADABLE = 10
"""So many looks in a row without an answer, each repeated for minutes, and the run ends; the journal keeps it."""


@dataclass(slots=True)
class Resumption:
    """The operations that a journal holds open, waited for until each is terminal."""

    cloud: Cloud
    locked: LockedStore
    clock: Clock
    on_event: Callable[[events.Event], None]
    stop: Stop
    limits: Limits
    deployment: str
    correlation: str
    entries: Mapping[ArmId, Entry]
    """What the state remembers, by id."""

    def run(self, flights: tuple[InFlight, ...]) -> tuple[OperationResult, ...]:
        """Wait for all; those that the limits do not allow to wait for are ``running``."""
        left = max((_usual(flight) - self._age(flight) for flight in flights), default=0.0)
        at = self.clock.utc()
        self.on_event(
            events.RunStarted(self.deployment, self.correlation, len(flights), max(0.0, left), at, resumed=True)
        )
        return tuple(self._follow(flight) for flight in flights)

    def _age(self, flight: InFlight) -> float:
        """Seconds since it was begun, as fast as this clock runs; nothing where clocks were set meanwhile."""
        passed = seconds_between(flight.begun.at, self.clock.utc())
        return 0.0 if passed is None or passed < 0 else passed * getattr(self.clock, "speed", 1.0)

    def _follow(self, flight: InFlight) -> OperationResult:
        begun, usual, age = flight.begun, _usual(flight), self._age(flight)
        started = self.clock.now() - age
        at = self.clock.utc()
        self.on_event(
            events.OperationStarted(
                begun.address, begun.verb, begun.step, str(begun.id), usual, at, resumed=True, age=age
            )
        )
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.stop.wakes(inbox)
        unreadable = 0
        for polls in range(1_000_000):
            observed = self._read(flight)
            if observed is not None and observed.is_terminal and not self._is_hidden(flight, observed):
                status, message = self._close(flight, observed)
                return self._result(flight, status, started, message)
            if self._must_leave():
                return self._result(flight, "running", started, "")
            unreadable = 0 if observed else unreadable + 1
            if unreadable >= MOST_UNREADABLE:
                raise Unavailable(
                    f"{begun.id} cannot be read; whether an earlier run's {begun.verb} was done is unknown."
                )
            state = (observed.state or "absent") if observed else "unreadable"
            now, seconds = self.clock.utc(), self.clock.now() - started
            self.on_event(events.OperationProgress(begun.address, begun.verb, begun.step, seconds, usual, state, now))
            self.clock.next(inbox, poll_delay(None, polls, usual), calls_in_flight=0)
        raise AssertionError("unreachable")

    def _is_hidden(self, flight: InFlight, observed: Observed) -> bool:
        """Whether a creation that nobody heard of may still show: Azure is asked for two minutes from its begin on."""
        begun = flight.begun
        if observed.present or begun.verb != "put" or begun.etag != "absent" or flight.accepted is not None:
            return False
        passed = seconds_between(begun.at, self.clock.utc())
        return passed is not None and 0 <= passed < SHOWN_AFTER  # clocks may have been set back

    def _must_leave(self) -> bool:
        return self.stop.asked or self.limits.detach or self.limits.are_over(self.clock.now())

    def _read(self, flight: InFlight) -> Observed | None:
        try:
            with self.stop.ends():
                return self.cloud.read(flight.begun.id)
        except (Unavailable, Throttled, ReadInterrupted):
            return None

    def _close(self, flight: InFlight, observed: Observed) -> tuple[_Closing, str]:
        """What the journal learns, by verb and by what Azure shows."""
        begun = flight.begun
        status, message = self._ended(flight, observed)
        if status != "succeeded" and flight.accepted is None and message in _NOTHING_DONE:
            status = "not-started"
        codes = {"succeeded": "", "failed": "Unconfirmed", "not-started": "NotStarted"}
        request = flight.accepted.request if flight.accepted else ""
        self.locked.append(
            OperationClosed(
                at=self.clock.utc(),
                operation=begun.operation,
                status="succeeded" if status == "succeeded" else "failed",
                code=codes[status],
                error=message,
                request=request,
            )
        )
        return status, message

    def _ended(self, flight: InFlight, observed: Observed) -> tuple[_Closing, str]:
        begun = flight.begun
        if begun.verb == "delete":
            if observed.present:
                return "failed", _STILL_THERE
            gone = self.entries.get(begun.id)
            if gone is not None:
                self.locked.append(EntryRemoved(at=self.clock.utc(), address=gone.address, why="deleted"))
            return "succeeded", ""
        if not observed.present:
            return "failed", _NEVER_ARRIVED
        if begun.verb == "act":
            return "failed", "whether the key was set is unknown; it is sent again"
        return self._close_put(flight, observed)

    def _close_put(self, flight: InFlight, observed: Observed) -> tuple[_Closing, str]:
        begun = flight.begun
        if begun.etag == "absent" and self._is_foreign(flight, observed):
            return "failed", "somebody else has made it meanwhile"
        failed = observed.has_failed
        if begun.step == "release" and not failed:
            return self._close_release(flight, observed)
        if begun.step == "sync" and not failed and model_of(begun.id).lags(observed.document or {}):
            return "failed", _NOT_CARRIED_OUT
        agrees = not failed and not any(self._differences(flight, observed)) and self._is_proved(flight, observed)
        if begun.entry is not None and (agrees or begun.etag == "absent"):
            entry = begun.entry if agrees else begun.entry.model_copy(update={"fingerprints": {}})
            self.locked.append(EntrySet(at=self.clock.utc(), entry=entry))
        if failed:
            return "failed", f"it ended as {observed.state}; it is repaired, never replaced"
        return ("succeeded", "") if agrees else ("failed", _NOT_CARRIED_OUT)

    def _close_release(self, flight: InFlight, observed: Observed) -> tuple[_Closing, str]:
        """What was to be switched off is off, and is forgotten; or it is begun again."""
        model = half_of(observed.id)
        if model is not None and any(model.flags(observed.document)):
            return "failed", _NOT_CARRIED_OUT
        self.locked.append(EntryRemoved(at=self.clock.utc(), address=flight.begun.address, why="forgotten"))
        return "succeeded", ""

    def _is_foreign(self, flight: InFlight, observed: Observed) -> bool:
        """Whether what was absent was made by somebody else: our PUT never arrived.

        It bears no mark of ours although it can bear one; or it cannot, Azure never took our call, and it differs.
        """
        model = type_of(observed.id.type)
        if model is not None and model.taggable:
            return deployment_in(observed.document) != self.deployment
        return flight.accepted is None and any(self._differences(flight, observed))

    def _is_proved(self, flight: InFlight, observed: Observed) -> bool:
        """A new secret is there if Azure accepted the call, made what was absent with it, or echoes it."""
        begun = flight.begun
        if flight.accepted or begun.etag == "absent":
            return True
        entry = self.entries.get(begun.id)
        known = entry.fingerprints if entry else {}
        new = [path for path, fingerprint in begun.fingerprints.items() if known.get(path) != fingerprint]
        return all(isinstance(lookup(observed.document, path), Fingerprint) for path in new)

    def _differences(self, flight: InFlight, observed: Observed) -> Iterator[object]:
        """What the call should have changed and did not, or should have taken away; of secrets, those Azure shows."""
        entry, model = flight.begun.entry, type_of(flight.begun.id.type)
        if entry is not None and model is not None and observed.document is not None:
            declared, before = applied_of(entry), self.entries.get(flight.begun.id)
            applied = applied_of(before) if before else declared
            found = compare(shape_of(model), declared, applied, observed.document, unread=entry.unread).found
            yield from (f for f in found if not f.secret or isinstance(f.difference.observed, Fingerprint))

    def _result(
        self,
        flight: InFlight,
        status: Literal["succeeded", "failed", "running", "not-started"],
        started: float,
        message: str,
    ) -> OperationResult:
        begun, seconds = flight.begun, self.clock.now() - started
        ids = AzureIds(request=flight.accepted.request if flight.accepted else "")
        result = OperationResult(begun.address, begun.verb, begun.step, status, seconds, message, ids=ids)
        if status != "running":
            self.on_event(result.ended(self.clock.utc()))
        return result


def _usual(flight: InFlight) -> float:
    """How long such an operation usually takes; a put may be one that builds, whatever it began as."""
    begun = flight.begun
    model = type_of(begun.id.type)
    if model is None:
        return 60.0
    usual = model.usual_durations(begun.entry.applied if begun.entry else {})
    return usual.delete if begun.verb == "delete" else usual.create
