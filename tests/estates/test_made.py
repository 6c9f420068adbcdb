"""Hand-made estates: what real ones do not happen to show, taken over or left alone with the reason."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.estates.desk import Desk
from tests.estates.made import Body, branch, connection, document, hub, local, network, rid
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import ExitCode
from vpngw_iac.usecases.imported import Imported

VGW = rid("virtualNetworkGateways", "vgw-1")
VNET = rid("virtualNetworks", "vnet-1")


def desk_of(folder: Path, *documents: list[Body] | Body, secrets: dict[str, str] | None = None) -> Desk:
    flat = [each for item in documents for each in (item if isinstance(item, list) else [item])]
    return Desk(folder, {"documents": copy.deepcopy(flat), "secrets": secrets or {}})


def fate(imported: Imported, identity: str) -> tuple[str, str]:
    account = next(account for account in imported.accounts if account.id == ArmId(identity))
    return account.fate, account.why


def proven(desk: Desk, **wanted: Any) -> Imported:
    """An import whose plan is empty, refuses nothing, and shows no drift."""
    imported = desk.take(**wanted)
    assert (imported.differing, imported.busy) == ((), ())
    plan = desk.workspace.plan(desk.blueprint())
    assert (plan.changes, plan.blocking) == ((), ())
    assert not desk.workspace.drift(desk.blueprint()).alarming
    return imported


# --- at work ---------------------------------------------------------------------------------------------------------


def at_work(estate: list[Body], state: str, kind: str) -> list[Body]:
    changed = copy.deepcopy(estate)
    for each in changed:
        if each["type"].endswith(kind):
            each["properties"]["provisioningState"] = state
    return changed


@pytest.mark.parametrize("kind", ["virtualNetworkGateways", "connections", "virtualNetworks"])
def test_what_azure_is_at_work_on_is_taken_over_and_not_called_proven(tmp_path: Path, kind: str) -> None:
    desk = desk_of(tmp_path, at_work([*hub(), *branch("berlin", 1)], "Updating", kind))

    imported = desk.take()

    assert imported.exit_code == ExitCode.CHANGES
    assert imported.differing == ()
    assert [busy.rpartition(" ")[2] for busy in imported.busy] == ["(Updating)"]
    first = desk.workspace.plan(desk.blueprint())
    assert (first.changes, first.blocking) == ((), ())
    assert desk.workspace.apply(desk.blueprint()).outcome == "succeeded"
    assert {request.method for request in desk.simulator.requests} <= {"GET", "POST"}
    assert [note for note in desk.workspace.plan(desk.blueprint()).unread if "busy" in note] == []


def test_what_azure_is_deleting_is_left_alone_with_what_refers_to_it(tmp_path: Path) -> None:
    leaving = at_work([*branch("berlin", 1)][:1], "Deleting", "localNetworkGateways")
    desk = desk_of(tmp_path, hub(), leaving, branch("berlin", 1)[1:], branch("oslo", 2))

    imported = proven(desk)

    assert fate(imported, leaving[0]["id"]) == ("left", "Azure is deleting it")
    assert fate(imported, rid("connections", "con-berlin"))[0] == "left"
    assert fate(imported, rid("connections", "con-oslo"))[0] == "managed"


# --- gone ------------------------------------------------------------------------------------------------------------


def _gone() -> dict[str, tuple[list[Body], str]]:
    """What refers to something that is not there, and which of it must be left alone."""
    other = rid("virtualNetworks", "vnet-gone", group="rg-gone")
    peering = document(
        f"{VNET}/virtualNetworkPeerings/to-gone", remoteVirtualNetwork={"id": other}, allowVirtualNetworkAccess=True,
        peeringState="Disconnected",
    )  # fmt: skip
    del peering["location"]
    meshed = network("vnet-1", "10.1.0.0/16")
    meshed["properties"]["virtualNetworkPeerings"] = [peering]
    routed = network(
        "vnet-1", "10.1.0.0/16", subnets={"GatewaySubnet": "10.1.255.0/27", "work": {
            "addressPrefix": "10.1.1.0/24", "routeTable": {"id": rid("routeTables", "rt-gone", group="rg-other")},
        }},
    )  # fmt: skip
    gone = rid("localNetworkGateways", "lgw-gone")
    return {
        "local gateway": ([connection("con-x", VGW, gone)], rid("connections", "con-x")),
        "local gateway elsewhere": (
            [connection("con-x", VGW, rid("localNetworkGateways", "lgw-x", group="rg-gone"))],
            rid("connections", "con-x"),
        ),
        "gateway of a pair": (
            [connection("con-x", VGW, rid("virtualNetworkGateways", "vgw-x", group="rg-gone"), kind="Vnet2Vnet")],
            rid("connections", "con-x"),
        ),
        "network of a peering": ([meshed], peering["id"]),
        "route table": ([routed], f"{VNET}/subnets/work"),
    }


@pytest.mark.parametrize("name", _gone())
def test_what_refers_to_something_deleted_is_left_alone_with_the_reason(tmp_path: Path, name: str) -> None:
    documents, culprit = _gone()[name]
    replaced = {each["id"] for each in documents}
    desk = desk_of(tmp_path, [each for each in hub() if each["id"] not in replaced], documents, branch("oslo", 2))

    imported = proven(desk)

    found, why = fate(imported, culprit)
    assert found == "left"
    assert "is not there" in why
    assert fate(imported, VGW)[0] == "managed"
    assert fate(imported, rid("connections", "con-oslo"))[0] == "managed"


# --- read together, or not -------------------------------------------------------------------------------------------


def _two_tunnels(**second: Any) -> list[list[Body]]:
    """Two connections whose names and networks say that they lead to one place."""
    devices = [local(f"lgw-berlin-{name}", f"203.0.113.{n}", "192.168.1.0/24") for n, name in enumerate(("dsl", "lte"))]
    devices[1]["properties"] |= second
    return [[d, connection(d["name"].replace("lgw", "con"), VGW, d["id"])] for d in devices]


def test_tunnels_to_one_place_are_taken_over_as_links(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, hub(), *_two_tunnels(), branch("oslo", 9))

    imported = proven(desk)

    assert "links=[" in imported.text
    assert 'name="dsl"' in imported.text
    assert 'name="oslo"' in imported.text
    assert imported.text.count("192.168.1.0/24") == 1


def test_what_proves_wrong_together_is_read_one_by_one(tmp_path: Path) -> None:
    """A skipped local network gateway cannot be the link's own: its connection is said alone."""
    first, second = _two_tunnels()
    desk = desk_of(tmp_path, hub(), first, second)
    skip = tmp_path / "names.yaml"
    skip.write_text(f"skip:\n  {second[0]['id']}: it is replaced soon\n")

    imported = proven(desk, names_file=str(skip))

    assert "links=[" not in imported.text
    assert fate(imported, second[1]["id"])[0] == "managed"
    assert fate(imported, second[0]["id"]) == ("used", "left out: it is replaced soon")
