"""States, records and owners to test with, and hypothesis strategies that make valid ones."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from vpngw_iac.arm import ArmId
from vpngw_iac.secret import FingerprintKey
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
from vpngw_iac.state.model import Binding, Entry, State
from vpngw_iac.state.store import Owner

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"
LINEAGE = "33333333-3333-4333-8333-333333333333"
BINDING = Binding(cloud="simulator", endpoint="https://management.example", tenant=TENANT)
DEPLOYMENT = "contoso-hub"
AT = "2026-01-02T03:04:05.000Z"
KEY = FingerprintKey(b"k" * 32)


def an_id(number: int, kind: str = "Acme.Test/things") -> ArmId:
    return ArmId.build(SUBSCRIPTION, "rg-hub", kind, f"thing-{number}")


def an_entry(number: int, needs: Sequence[int] = (), **more: Any) -> Entry:
    values: dict[str, Any] = {
        "address": f"Thing/{number:04d}",
        "id": an_id(number),
        "needs": tuple(an_id(needed) for needed in needs),
        "applied": {"location": "westeurope", "properties": {"number": number}},
    }
    return Entry(**(values | more))


def a_state(*entries: Entry, serial: int = 0, **more: Any) -> State:
    values: dict[str, Any] = {"deployment": DEPLOYMENT, "lineage": LINEAGE, "binding": BINDING, "serial": serial}
    return State(**(values | {"entries": {entry.address: entry for entry in entries}} | more))


def an_owner(run: str = "run-1", **more: Any) -> Owner:
    values: dict[str, Any] = {
        "run": run,
        "actor": "ada@contoso.example",
        "host": "runner-7",
        "process": 4711,
        "since": AT,
        "command": "vpngw apply blueprint.py",
    }
    return Owner(**(values | more))


def opened(run: str = "run-1", at: str = AT, **more: Any) -> RunOpened:
    values: dict[str, Any] = {"command": "apply", "actor": "ada", "correlation": "c-1", "version": "0.1.0"}
    return RunOpened(at=at, run=run, **(values | more))


def begun(operation: str = "op-1", number: int = 1, at: str = AT, **more: Any) -> Begun:
    values: dict[str, Any] = {
        "address": f"Thing/{number:04d}",
        "step": "put",
        "verb": "put",
        "id": an_id(number),
        "etag": "absent",
        "digest": "d" * 64,
        "process": "runner-7:4711",
        "run": "run-1",
        "entry": an_entry(number),
    }
    return Begun(at=at, operation=operation, **(values | more))


def entry_set(number: int, **more: Any) -> EntrySet:
    return EntrySet(at=AT, entry=an_entry(number, **more))


# --- strategies ----------------------------------------------------------------------------------------------------

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""How often a law is tried: the machine may be busy, so that no example is judged by its time."""

text = st.text(max_size=12)
"""Any text, lone surrogates excluded: Azure's JSON is UTF-8."""
names = st.text(string.ascii_letters + string.digits + "-_.", min_size=1, max_size=12).map(lambda name: f"n{name}")
leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), text)
values = st.one_of(leaves, st.lists(leaves, max_size=3), st.dictionaries(names, leaves, max_size=2))
references = st.sampled_from(
    [
        {"$secret": {"source": "env", "name": "BERLIN_PSK"}},
        {"$secret": {"source": "key_vault", "vault": "kv-hub", "name": "berlin"}},
        None,
    ]
)
applied = st.builds(
    lambda extra, secret: {"properties": {**extra, "sharedKey": secret}} if secret else {"properties": extra},
    st.dictionaries(names, values, max_size=3),
    references,
)
attributes = st.fixed_dictionaries(
    {
        "applied": applied,
        "fingerprints": st.sampled_from([{}, {"properties.sharedKey": KEY.fingerprint("a", "version-1").dump()}]),
        "unread": st.sampled_from([(), ("properties.sharedKey",)]),
        "overruled": st.sampled_from([{}, {"tags.cost": "42"}]),
        "protect": st.booleans(),
        "on_removal": st.sampled_from(["delete", "forget"]),
        "created": st.booleans(),
        "affected": st.lists(text, max_size=1).map(tuple),
        "tenant": st.sampled_from([None, TENANT]),
    }
)
needs = st.sets(st.integers(0, 5), max_size=3)
lone_entries = st.builds(lambda number, more: an_entry(number, **more), st.integers(0, 5), attributes)
"""Entries that need nothing: in whatever order they come and go, the state is valid."""


@st.composite
def states(draw: st.DrawFn) -> State:
    """Valid states: each entry needs only entries with smaller numbers, so that no circle can be drawn."""
    drawn = draw(st.lists(st.tuples(attributes, needs), max_size=4))
    made = [
        an_entry(number, needs=sorted(n for n in needed if n < number), **more)
        for number, (more, needed) in enumerate(drawn)
    ]
    return a_state(*made, serial=draw(st.integers(0, 1000)))


def _numbered(records: Sequence[Record], first: int = 1) -> list[Record]:
    return [record.model_copy(update={"number": first + index}) for index, record in enumerate(records)]


records = st.one_of(
    st.builds(opened, run=st.sampled_from(["run-1", "run-2"])),
    st.builds(begun, operation=st.sampled_from(["op-1", "op-2", "op-3"]), number=st.integers(0, 5)),
    st.builds(
        lambda op, url: Accepted(at=AT, operation=op, url=url), st.sampled_from(["op-1", "op-2"]), st.none() | text
    ),
    st.builds(
        lambda op, status: OperationClosed(at=AT, operation=op, status=status),
        st.sampled_from(["op-1", "op-2", "op-3"]),
        st.sampled_from(["succeeded", "failed", "unconfirmed"]),
    ),
    st.builds(lambda entry: EntrySet(at=AT, entry=entry), lone_entries),
    st.builds(
        lambda number, why: EntryRemoved(at=AT, address=f"Thing/{number:04d}", why=why),
        st.integers(0, 5),
        st.sampled_from(["deleted", "forgotten"]),
    ),
    st.builds(
        lambda old, new: EntriesMoved(at=AT, addresses={f"Thing/{old:04d}": f"Thing/{new:04d}"}),
        st.integers(0, 5),
        st.integers(6, 9),
    ),
    st.builds(lambda state: StateReplaced(at=AT, state=state), states()),
    st.builds(lambda run: RunClosed(at=AT, run=run, outcome="succeeded", exit_code=0), st.just("run-1")),
)
journals = st.lists(records, max_size=8).map(_numbered)
"""Records with the numbers a store gives them. Entries that are set need nothing, so any prefix is a valid state."""
