"""One flush for all that is ready, one look at the lock for each flush; what depends on a record comes after it."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections import deque
from typing import Any

import pytest

from tests.workspace.conftest import Harness, MortalClock
from tests.worlds import GROUP, Deployment, group_id, hub, make, resource_group, rid
from vpngw_iac.engine.execute import event as events
from vpngw_iac.engine.execute.loop import PARALLEL_CALLS
from vpngw_iac.errors import StateLocked
from vpngw_iac.state.file import LockedFileStore
from vpngw_iac.state.lock import FolderLock

Moment = tuple[str, str]
"""What happened, and to what: an address of ours or the path of a request."""


class Heard(deque[Any]):
    """The simulator's requests, told to a common time line as they come."""

    def __init__(self, line: list[Moment]) -> None:
        super().__init__(maxlen=100_000)
        self._line = line

    def append(self, logged: Any) -> None:
        super().append(logged)
        self._line.append((logged.method, logged.path.partition("?")[0].lower()))


@pytest.fixture
def line(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> list[Moment]:
    """What is durable, what Azure hears and what people are told, in the order in which it happens."""
    found: list[Moment] = []
    write = LockedFileStore._write_record

    def written(locked: LockedFileStore, lines: bytes) -> None:
        write(locked, lines)
        found.append(("flush", ""))
        for text in lines.splitlines():
            record = json.loads(text)
            of = record.get("id") or record.get("operation") or (record.get("entry") or {}).get("address", "")
            found.append((record["record"], of.lower()))
            if record["record"] == "begun":
                found.append(("name", f"{record['operation']} {record['address']}"))

    monkeypatch.setattr(LockedFileStore, "_write_record", written)
    harness.simulator.requests = Heard(found)
    return found


def sites(count: int) -> Deployment:
    """Local network gateways: nothing keeps them from running at once."""
    return Deployment("many", (resource_group(), *(lone(number) for number in range(count))))


def lone(number: int) -> Any:
    identity = rid("localNetworkGateways", f"lng-{number}")
    properties = {
        "gatewayIpAddress": f"203.0.{113 + number // 250}.{number % 250 + 1}",
        "localNetworkAddressSpace": {"addressPrefixes": [f"172.{16 + number // 256}.{number % 256}.0/24"]},
    }
    return make(f"LocalNetworkGateway/{number}", identity, properties, location="westeurope")


def test_a_call_is_made_after_the_flush_that_holds_its_begin(harness: Harness, line: list[Moment]) -> None:
    harness.create(hub("berlin", "paris", "rome"))

    for at, (what, path) in enumerate(line):
        if what == "PUT":
            assert ("begun", path) in line[:at], f"{path} is written before its begin is durable"


def test_an_outcome_is_told_and_dependents_begin_after_the_flush_that_holds_it(
    harness: Harness, line: list[Moment]
) -> None:
    def tell(event: events.Event) -> None:
        if isinstance(event, events.OperationEnded):
            line.append(("told", event.address))

    harness.apply(hub("berlin", "paris"), run={"on_event": tell})

    names = dict(reversed(text.split(" ", 1)) for what, text in line if what == "name")
    told = [(at, address) for at, (what, address) in enumerate(line) if what == "told"]
    assert len(told) == 9
    for at, address in told:
        assert ("ended", names[address]) in line[:at], f"the outcome of {address} is told before it is durable"
        assert ("entry-set", address.lower()) in line[:at]
    begun = next(
        at for at, (what, of) in enumerate(line) if what == "begun" and of.endswith("/virtualnetworks/vnet-hub")
    )
    assert ("ended", names["ResourceGroup/rg-hub"]) in line[:begun]


class Patient(MortalClock):
    """A clock with which each turn of the loop finds the answers to all calls."""

    def next(self, inbox: queue.SimpleQueue[Any], seconds: float | None, *, calls_in_flight: int) -> Any | None:
        while inbox.qsize() < calls_in_flight:
            time.sleep(0.001)
        return super().next(inbox, seconds, calls_in_flight=calls_in_flight)


def test_a_flush_takes_all_that_is_ready_and_looks_at_the_lock_once(
    harness: Harness, line: list[Moment], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    ours = FolderLock.ours
    monkeypatch.setattr(FolderLock, "ours", lambda lock, claim: looks.append(1) or ours(lock, claim))
    time_line = harness.clock
    harness.clock = Patient()
    harness.clock.on_advance(time_line.advance)
    harness.clock.on_advance(harness.simulator.time.advance_to)  # type: ignore[attr-defined]

    harness.create(sites(60))

    records = [what for what, _ in line if what in ("begun", "accepted", "ended", "entry-set")]
    flushes = sum(what == "flush" for what, _ in line)
    assert len(records) >= 3 * 61
    assert flushes <= 16
    assert len(looks) <= flushes + 6  # two documents, a renewal before the first call


def test_many_are_in_flight_without_a_thread_for_each(harness: Harness) -> None:
    threads, most = set[str](), [0]

    def tell(event: events.Event) -> None:
        names = {thread.name for thread in threading.enumerate() if thread.name.startswith("vpngw")}
        threads.update(names)
        started[0] += isinstance(event, events.OperationStarted)
        started[0] -= isinstance(event, events.OperationEnded)
        most[0] = max(most[0], started[0])

    started = [0]
    outcome = harness.apply(sites(200), run={"on_event": tell})

    assert outcome.outcome == "succeeded"
    assert most[0] == 200
    assert len(threads) <= PARALLEL_CALLS <= 32


def test_who_lost_the_lock_sends_nothing_and_tells_no_success(
    harness: Harness, line: list[Moment], monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.create(Deployment("many", (resource_group(),)))
    line.clear()
    write = LockedFileStore._write_record

    def taken(locked: LockedFileStore, lines: bytes) -> None:
        if b'"begun"' in lines:
            raise StateLocked("taken")
        write(locked, lines)

    monkeypatch.setattr(LockedFileStore, "_write_record", taken)

    with pytest.raises(StateLocked):
        harness.apply(sites(20))

    assert [path for what, path in line if what == "PUT"] == []
    assert str(group_id(GROUP)) in harness.simulator.documents()
