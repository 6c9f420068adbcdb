"""What happens to one resource, by what is declared, remembered and observed: the rows about whole resources."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.imagined import applied, azure, plan
from tests.worlds import Deployment, hub, nat_rule, public_ip, resource_group, rid, site
from vpngw_iac.engine.ports import Attached, Observed, Snapshot

ADDRESS = "LocalNetworkGateway/hub/berlin"
OTHERS = (resource_group(), site("paris", 1))
ONE = Deployment("hub", (*OTHERS, site("berlin")))
NONE = Deployment("hub", OTHERS)
ADOPT = frozenset({ADDRESS})
NEW_PREFIX = {"localNetworkAddressSpace": {"addressPrefixes": ["192.168.77.0/24"]}}

ROWS: list[tuple[str, bool, bool, str, dict[str, Any], dict[str, Any], str | None, str | None]] = [
    # reason, declared, remembered, Azure's state, what Azure changed, options, action, rule that refuses
    ("new", True, False, "absent", {}, {}, "create", None),
    ("as it should be", True, True, "Succeeded", {}, {}, None, None),
    ("changed behind our back", True, True, "Succeeded", NEW_PREFIX, {}, "update", None),
    ("gone behind our back", True, True, "absent", {}, {}, "create", None),
    ("there and not ours", True, False, "Succeeded", {}, {}, None, "V-OWN-01"),
    ("taken over", True, False, "Succeeded", {}, {"adopt": ADOPT}, "adopt", None),
    ("taken over although different", True, False, "Succeeded", NEW_PREFIX, {"adopt": ADOPT}, "adopt", None),
    (
        "taken over and changed",
        True,
        False,
        "Succeeded",
        NEW_PREFIX,
        {"adopt": ADOPT, "adopt_and_change": True},
        "update",
        None,
    ),
    (
        "taken over, nothing to change",
        True,
        False,
        "Succeeded",
        {},
        {"adopt": ADOPT, "adopt_and_change": True},
        "adopt",
        None,
    ),
    ("being updated", True, True, "Updating", NEW_PREFIX, {}, None, None),
    ("being created", True, True, "Creating", NEW_PREFIX, {}, None, None),
    ("being deleted", True, True, "Deleting", NEW_PREFIX, {}, None, None),
    ("failed", True, True, "Failed", {}, {}, "repair", None),
    ("canceled", True, True, "Canceled", {}, {}, "repair", None),
    ("failed and changed", True, True, "Failed", NEW_PREFIX, {}, "repair", None),
    ("drift, but only edits are wanted", True, True, "Succeeded", NEW_PREFIX, {"edits_only": True}, None, None),
    ("no longer declared", False, True, "Succeeded", {}, {}, "delete", None),
    ("no longer declared and gone", False, True, "absent", {}, {}, None, None),
    ("never ours", False, False, "Succeeded", {}, {}, None, None),
    ("named with --replace", True, True, "Succeeded", {}, {"replace": ADOPT}, "replace", None),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].replace(" ", "-"))
def test_one_resource(row: tuple[str, bool, bool, str, dict[str, Any], dict[str, Any], str | None, str | None]) -> None:
    reason, declared, remembered, shown, changed, options, action, rule = row
    state = applied(ONE, without=() if remembered else (ADDRESS,))
    absent = (ADDRESS,) if shown == "absent" else ()
    snapshot = azure(ONE, absent=absent, states={ADDRESS: shown}, changed={ADDRESS: changed})

    made = plan(ONE if declared else NONE, state, snapshot, **options)

    found = {change.address: str(change.action) for change in made.changes}
    assert found == ({ADDRESS: action} if action else {}), reason
    assert [f.rule for f in made.blocking] == ([rule] if rule else []), reason


def test_a_busy_resource_is_told_as_unread() -> None:
    made = plan(ONE, applied(ONE), azure(ONE, states={ADDRESS: "Updating"}))

    assert made.unread == (f"{ADDRESS}: Updating (busy), compared when it has ended",)


def test_a_resource_that_was_not_read_is_unread_and_never_a_change() -> None:
    snapshot = azure(ONE)
    unreadable = Observed(site("berlin").id, None, unread="not permitted")
    known = Snapshot({**snapshot.observed, unreadable.id: unreadable})

    declared, removed = plan(ONE, applied(ONE), known), plan(NONE, applied(ONE), known)

    assert (declared.changes, removed.changes) == ((), ())
    assert declared.unread == removed.unread == (f"{ADDRESS}: not permitted",)


def test_an_entry_without_a_resource_is_forgotten_if_that_was_asked_for() -> None:
    kept = Deployment("hub", (*OTHERS, site("berlin", on_removal="forget")))

    made = plan(NONE, applied(kept), azure(kept))

    assert [(str(c.action), c.reason) for c in made.changes] == [("forget", 'on_removal="forget"')]


def test_a_resource_group_that_is_there_is_never_put_adopted_or_compared() -> None:
    made = plan(ONE, applied(ONE, without=("ResourceGroup/rg-hub",)), azure(ONE))

    assert (made.changes, made.blocking) == ((), ())


def test_everything_absent_is_refused_until_it_is_said_to_be_right() -> None:
    everywhere = tuple(item.address for item in ONE.items)

    refused = plan(ONE, applied(ONE), azure(ONE, absent=everywhere))
    meant = plan(ONE, applied(ONE), azure(ONE, absent=everywhere), all_gone=True)

    assert [f.rule for f in refused.blocking] == ["V-STATE-02"]
    assert {str(c.action) for c in meant.changes} == {"create"}


def test_foreign_things_are_told_once_and_sorted() -> None:
    deployment = hub("berlin").plus(nat_rule("in"))
    vgw = rid("virtualNetworkGateways", "vgw-hub")
    foreign = [
        Attached(vgw, "rootCertificate", "theirs"),
        Attached(vgw, "natRule", "theirs", rid("virtualNetworkGateways/natRules", "vgw-hub", "theirs")),
        Attached(vgw, "connection", "con-theirs", rid("connections", "con-theirs")),
        Attached(vgw, "connection", "con-theirs", rid("connections", "CON-THEIRS")),
        Attached(vgw, "connection", "con-berlin", rid("connections", "CON-BERLIN")),
        Attached(vgw, "natRule", "in", nat_rule("in").id),
    ]

    made = plan(deployment, applied(deployment), azure(deployment, attached=tuple(foreign)))

    assert [(item.kind, item.name) for item in made.unmanaged] == [
        ("connection", "con-theirs"),
        ("natRule", "theirs"),
        ("rootCertificate", "theirs"),
    ]


def test_keeping_public_ips_forgets_them_and_their_group() -> None:
    deployment = Deployment("hub", (resource_group(), public_ip(), site("berlin")))
    left = (Attached(resource_group().id, "resource", "pip-hub-1", public_ip().id),)

    made = plan(deployment, applied(deployment), azure(deployment, attached=left), destroy=True, keep_public_ips=True)

    assert {change.address: str(change.action) for change in made.changes} == {
        ADDRESS: "delete",
        "PublicIp/hub/1": "forget",
        "ResourceGroup/rg-hub": "forget",
    }
