"""Hand-made estates: what real ones do not happen to show, taken over or left alone with the reason."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.estates.desk import SUBSCRIPTION, Desk
from tests.estates.made import (
    Body,
    branch,
    connection,
    document,
    expressroute_gateway,
    gateway,
    hub,
    local,
    network,
    rid,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import ExitCode
from vpngw_iac.simulator import Fault
from vpngw_iac.simulator.faults import AnswerInstead
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

    def work(refers: str, to: str) -> list[Body]:
        subnets: Any = {"GatewaySubnet": "10.1.255.0/27", "work": {"addressPrefix": "10.1.1.0/24", refers: {"id": to}}}
        return [network("vnet-1", "10.1.0.0/16", subnets=subnets)]

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
        "route table": (work("routeTable", rid("routeTables", "rt-gone", group="rg-other")), f"{VNET}/subnets/work"),
        "security group": (work("networkSecurityGroup", rid("networkSecurityGroups", "nsg")), f"{VNET}/subnets/work"),
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


# --- kept without a connection ---------------------------------------------------------------------------------------


def test_a_spare_device_stays_with_a_gateway_that_has_an_expressroute_partner(tmp_path: Path) -> None:
    spare = local("lgw-spare", "203.0.113.77", "192.168.77.0/24")
    partner = expressroute_gateway("ergw-1", "vnet-1")
    desk = desk_of(tmp_path, hub(), partner, spare, branch("oslo", 9))

    imported = proven(desk)

    assert fate(imported, spare["id"])[0] == "managed"
    assert "ExpressRouteCoexistence" in imported.text


def test_a_group_of_devices_without_their_gateway_says_where_it_is(tmp_path: Path) -> None:
    spare = local("lgw-spare", "203.0.113.77", "192.168.77.0/24", group="rg-branches")
    desk = desk_of(tmp_path, hub(), branch("oslo", 9, group="rg-branches"), spare, hub(2, group="rg-branches")[:1])
    line = document(rid("expressRouteCircuits", "erc", group="rg-branches"), head={
        "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"}},
        serviceProviderProperties={"serviceProviderName": "Equinix", "peeringLocation": "Amsterdam",
                                   "bandwidthInMbps": 50}, peerings=[], authorizations=[],
    )  # fmt: skip
    desk.simulator.load([line])

    imported = desk.take(groups=("rg-branches",))

    assert fate(imported, rid("connections", "con-oslo", group="rg-branches")) == (
        "left",
        "its gateway vgw-1 in rg-hub is not written here; import it from there",
    )
    assert "no VPN gateway here" in fate(imported, spare["id"])[1]


# --- how much is asked -----------------------------------------------------------------------------------------------


def many_groups(count: int) -> list[Body]:
    """Groups with a hub and a branch each."""
    found: list[Body] = []
    for number in range(1, count + 1):
        group = f"rg-{number}"
        start = rid("virtualNetworkGateways", f"vgw-{number}", group=group)
        found += [*hub(number, group=group), *branch(f"b{number}", number, start=start, group=group)]
    return found


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_whole_subscription_is_read_by_lists_of_the_whole(tmp_path: Path, count: int) -> None:
    """A dozen for the subscription; for each group the three lists that Azure has by group alone, and two a gateway."""
    bystanders = [network(f"vnet-x{n}", f"10.{100 + n}.0.0/16", group=f"rg-x{n}", subnets={}) for n in range(4)]
    desk = desk_of(tmp_path, many_groups(count), bystanders)

    imported = desk.take(groups=(), whole_subscription=True)

    assert imported.differing == ()
    assert len([account for account in imported.accounts if account.fate == "managed"]) == 6 * count
    assert not [account for account in imported.accounts if "vnet-x" in str(account.id)]
    asked = [f"{request.method} {request.path}" for request in desk.simulator.requests]
    assert len(asked) <= 12 + 5 * count, "\n".join(asked)


def test_a_network_of_another_group_is_not_asked_for_again(tmp_path: Path) -> None:
    far = network("vnet-far", "10.50.0.0/16", group="rg-far", subnets={})
    near = network("vnet-1", "10.1.0.0/16")
    peering = document(
        f"{VNET}/virtualNetworkPeerings/to-far", remoteVirtualNetwork={"id": far["id"]}, allowGatewayTransit=True,
        allowVirtualNetworkAccess=True, peeringState="Initiated",
    )  # fmt: skip
    del peering["location"]
    near["properties"]["virtualNetworkPeerings"] = [peering]
    desk = desk_of(tmp_path, [each for each in hub() if each["id"] != near["id"]], near, far)

    imported = desk.take(groups=(), whole_subscription=True)

    assert fate(imported, far["id"])[0] == "used"
    assert not [r for r in desk.simulator.requests if r.path.endswith("vnet-far")]


# --- who looks after it ----------------------------------------------------------------------------------------------

PRINCIPAL = "55555555-5555-4555-8555-555555555555"
ROLES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
READER = f"{ROLES}/acdd72a7-3385-48ef-bd42-f606fba81ae7"
CUSTOM = f"{ROLES}/12345678-1234-4234-8234-123456789012"
LOGS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/logs"


def beneath(holder: str, kind: str, name: str, **properties: Any) -> Body:
    """What hangs on a resource of another provider."""
    return {"id": f"{holder}/providers/{kind}/{name}", "name": name, "type": kind, "properties": properties}


def test_locks_settings_and_roles_are_taken_over_whatever_they_are_called(tmp_path: Path) -> None:
    con = rid("connections", "con-oslo")
    pip = rid("publicIPAddresses", "vgw-1-pip1")
    guid = "0f3c1a52-7f1e-4a62-8d55-3d1d50c0a0e{}"
    lock, role = "Microsoft.Authorization/locks", "Microsoft.Authorization/roleAssignments"
    setting = {
        "workspaceId": LOGS,
        "logs": [{"categoryGroup": "allLogs", "enabled": True, "retentionPolicy": {"enabled": False, "days": 0}}],
        "metrics": [{"category": "AllMetrics", "enabled": False}],
    }
    hanging = [
        beneath(VGW, lock, "Do not delete!", level="CanNotDelete"),
        beneath(con, lock, "no touch", level="CanNotDelete", notes="ask Ann"),
        beneath(VGW, "Microsoft.Insights/diagnosticSettings", "Send to LA", **setting),
        beneath(VGW, role, guid.format(1), roleDefinitionId=READER, principalId=PRINCIPAL, principalType="Group"),
        beneath(con, role, guid.format(2), roleDefinitionId=CUSTOM, principalId=PRINCIPAL, principalType="User"),
        beneath(pip, role, guid.format(3), roleDefinitionId=READER, principalId=PRINCIPAL, principalType="User"),
    ]
    desk = desk_of(tmp_path, hub(), branch("oslo", 9), hanging)

    imported = proven(desk)

    assert {fate(imported, each["id"]) for each in hanging} == {("managed", "")}
    for text in ('name="Do not delete!"', 'name="Send to LA"', 'role="Reader"', "12345678-1234-4234-8234-123456789012"):
        assert text in imported.text


def test_a_second_lock_and_an_odd_setting_are_left_alone_and_nothing_with_them(tmp_path: Path) -> None:
    con = rid("connections", "con-oslo")
    hanging = [
        beneath(con, "Microsoft.Authorization/locks", "a", level="CanNotDelete"),
        beneath(con, "Microsoft.Authorization/locks", "b", level="CanNotDelete"),
        beneath(rid("connections", "con-rome"), "Microsoft.Authorization/locks", "x" * 300, level="CanNotDelete"),
    ]
    desk = desk_of(tmp_path, hub(), branch("oslo", 9), branch("rome", 8), hanging)

    imported = proven(desk)

    assert [fate(imported, each["id"])[0] for each in hanging] == ["managed", "left", "left"]
    assert fate(imported, rid("connections", "con-rome"))[0] == "managed"


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("echoed", [True, False])
@pytest.mark.parametrize("form", ["one", "several"])
def test_secrets_of_radius_servers_are_kept_in_the_vault(tmp_path: Path, form: str, *, echoed: bool) -> None:
    server = {"radiusServerAddress": "10.1.0.10", "radiusServerSecret": "a-secret-of-radius"}
    clients: Body = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "vpnClientProtocols": ["OpenVPN"],
        "vpnAuthenticationTypes": ["Radius"],
        **(server if form == "one" else {"radiusServers": [{**server, "radiusServerScore": 30}]}),
    }
    desk = desk_of(tmp_path, hub(vpnClientConfiguration=clients))
    cloud = desk.simulator._cloud
    cloud.switches = replace(cloud.switches, echo_secrets=echoed)

    imported = desk.take(vault="kv-hub")

    assert imported.differing == ()
    assert imported.secrets == ()
    assert "Fill in" not in imported.text
    assert desk.simulator.vault.get("kv-hub", "vgw-1-radius-secret") == "a-secret-of-radius"
    kept = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in kept if "a-secret-of-radius" in text]


def test_the_key_of_a_circuit_of_others_is_kept_in_the_vault(tmp_path: Path) -> None:
    far = rid("expressRouteCircuits", "erc-x", group="rg-x", subscription="33333333-3333-3333-3333-333333333333")
    network_of, partner = hub()[1], expressroute_gateway("ergw-1", "vnet-1")
    link = connection("con-x", partner["id"], far, kind="ExpressRoute", authorizationKey="a-key-of-authorization")
    desk = desk_of(tmp_path, hub()[:1], network_of, partner, link)
    refusal = AnswerInstead(status=403, code="AuthorizationFailed", message="No.")
    desk.simulator.faults.add(Fault(path="*/subscriptions/33333333*", times=None, effect=refusal))

    imported = desk.take(vault="kv-hub")

    assert imported.differing == ()
    assert imported.secrets == ()
    assert desk.simulator.vault.get("kv-hub", "erc-x-authorization") == "a-key-of-authorization"


def test_a_key_that_may_not_be_read_is_left_to_be_filled_in(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, hub(), branch("oslo", 9), branch("rome", 8), secrets={
        rid("connections", "con-oslo"): "key-of-oslo", rid("connections", "con-rome"): "key-of-rome"})  # fmt: skip
    cloud = desk.simulator._cloud
    cloud.switches = replace(cloud.switches, echo_secrets=False)
    refusal = AnswerInstead(status=403, code="AuthorizationFailed", message="No.")
    desk.simulator.faults.add(Fault(path="*/con-rome/sharedkey", times=None, effect=refusal))

    imported = desk.take(vault="kv-hub")

    assert imported.differing == ()
    assert [str(secret.reference) for secret in imported.secrets] == ["key-vault:kv-hub/rome-psk"]
    assert desk.simulator.vault.get("kv-hub", "oslo-psk") == "key-of-oslo"


# --- how it is written -----------------------------------------------------------------------------------------------


def test_a_gateway_that_is_used_twice_names_nothing_inside_it(tmp_path: Path) -> None:
    """An ExpressRoute partner and a spare device: two blueprints say one gateway."""
    group = rid("networkSecurityGroups", "nsg-app")
    home = network("vnet-1", "10.1.0.0/16", subnets={"GatewaySubnet": "10.1.255.0/27", "app": {
        "addressPrefix": "10.1.1.0/24", "networkSecurityGroup": {"id": group}}})  # fmt: skip
    desk = desk_of(
        tmp_path, [each for each in hub() if each["id"] != VNET], home, expressroute_gateway("ergw", "vnet-1"),
        local("lgw-spare", "203.0.113.77", "192.168.77.0/24"), document(group, securityRules=[]),
    )  # fmt: skip

    imported = proven(desk)

    assigned = [line.partition(" = ")[0] for line in imported.text.splitlines() if " = " in line and line[0] != " "]
    assert assigned == ["vnet_1", "vgw_1", "ergw", "blueprint"]
    assert "Kept as it is" not in imported.text
    assert fate(imported, group) == ("used", "it is used by its id")


def test_names_and_tags_that_python_would_stumble_on(tmp_path: Path) -> None:
    documents = []
    for number, name in enumerate(("class", "None", "VpnGateway", "1st.net", "a.b", "a-b", "blueprint"), 1):
        home = network(name, f"10.{number}.0.0/16")
        home["tags"] = {'quo"te': 'it\'s "it"\nnew\\line """ # x', "ünï": "日本 \u202e"}
        documents += [home, *gateway(name, name)]
    desk = desk_of(tmp_path, hub()[:1], documents)

    imported = proven(desk)

    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--check", "--isolated", str(desk.file)], capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "\u202e" not in imported.text


def test_a_gateway_that_nothing_can_be_said_of_is_left_alone_beside_others(tmp_path: Path) -> None:
    broken = document(rid("virtualNetworkGateways", "vgw-broken"), gatewayType="Vpn")
    empty = document(rid("localNetworkGateways", "lgw-empty"), localNetworkAddressSpace={})
    other = connection("con-client", VGW, empty["id"])
    other["properties"]["connectionType"] = "VPNClient"
    desk = desk_of(tmp_path, hub(), broken, empty, connection("con-empty", VGW, empty["id"]), other)

    imported = proven(desk)

    assert "vgw-broken" not in imported.text.partition("# Left alone")[0]
    assert fate(imported, broken["id"]) == ("left", "it says no subnet that it stands in")
    assert fate(imported, rid("connections", "con-empty"))[1] == "its local network gateway lgw-empty has no address"
    assert fate(imported, other["id"])[1] == "connections of the kind VPNClient are not written here"
