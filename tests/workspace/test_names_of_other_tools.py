"""Groups, members, configurations and certificates that another tool named are taken over, not doubled."""

from __future__ import annotations

import copy
import shutil
from typing import Any

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import certificate
from vpngw_iac import (
    CertificateDomain,
    Certificates,
    EntraGroup,
    EntraId,
    PointToSite,
    RootCertificate,
    UserGroup,
    VirtualNetwork,
    VpnGateway,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import BlueprintError

TENANT = "11111111-2222-4333-8444-555555555555"
ADMINS = "22222222-2222-4222-8222-222222222222"
GATEWAY = "VpnGateway/vgw-p2s"
GROUPS = "virtualNetworkGatewayPolicyGroups"


def groups(**changes: Any) -> list[UserGroup]:
    admins: dict[str, Any] = {
        "name": "admins", "priority": 1, "address_pool": ["172.20.0.0/24"], "members": [EntraGroup(id=ADMINS)],
    }  # fmt: skip
    staff = UserGroup(
        name="staff", priority=2, default=True, address_pool=["172.21.0.0/24"],
        members=[CertificateDomain(name="a.example.com"), CertificateDomain(name="b.example.com")],
    )  # fmt: skip
    return [UserGroup(**{**admins, **changes}), staff]


def clients(*wanted: UserGroup, **more: Any) -> PointToSite:
    network = VirtualNetwork(
        name="vnet-p2s", location="westeurope", resource_group="rg-p2s", address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )  # fmt: skip
    roots = [RootCertificate(name="root-one", data=certificate("one"))]
    return PointToSite(
        name="p2s", gateway=VpnGateway(name="vgw-p2s", network=network, sku="VpnGw2AZ"), protocols=["OpenVPN"],
        authentication=[EntraId(tenant=TENANT), Certificates(roots=roots)], groups=list(wanted) or groups(), **more,
    )  # fmt: skip


def gateway_id(bench: Bench) -> ArmId:
    return next(ArmId(text) for text in bench.simulator.documents() if text.endswith("/vgw-p2s"))


def named_by_another_tool(bench: Bench, blueprint: Any) -> None:
    """The gateway as the portal would have made it, and no state of ours."""
    assert bench.apply(blueprint).outcome == "succeeded"
    identity = gateway_id(bench)
    document = copy.deepcopy(bench.document(identity))
    properties = document["properties"]
    for group in properties[GROUPS]:
        group["name"] = f"portal-{group['name']}"
        for number, member in enumerate(group["properties"]["policyMembers"]):
            member["name"] = f"policy{number}"
    block = properties["vpnClientConfiguration"]
    for configuration in block["vngClientConnectionConfigurations"]:
        configuration["name"] = f"config-{configuration['name']}"
        for reference in configuration["properties"][GROUPS]:
            head, _, name = reference["id"].rpartition("/")
            reference["id"] = f"{head}/portal-{name}"
    block["vpnClientRootCertificates"][0]["name"] = "RootOfTheirs"
    bench.simulator.put(str(identity), document)
    shutil.rmtree(bench.folder / ".vpngw")
    bench.mark()


def everything(bench: Bench, blueprint: Any) -> frozenset[str]:
    plan = bench.plan(blueprint)
    return frozenset(a for a, r in plan.graph.resources.items() if not r.only_if_absent)


def names(bench: Bench) -> dict[str, list[str]]:
    properties = bench.document(gateway_id(bench))["properties"]
    block = properties["vpnClientConfiguration"]
    return {
        "groups": [group["name"] for group in properties[GROUPS]],
        "members": [m["name"] for group in properties[GROUPS] for m in group["properties"]["policyMembers"]],
        "configurations": [item["name"] for item in block["vngClientConnectionConfigurations"]],
        "roots": [item["name"] for item in block["vpnClientRootCertificates"]],
    }


THEIRS = {
    "groups": ["portal-admins", "portal-staff"],
    "members": ["policy0", "policy0", "policy1"],
    "configurations": ["config-admins", "config-staff"],
    "roots": ["RootOfTheirs"],
}


def test_what_another_tool_named_is_taken_over_and_nothing_is_doubled(bench: Bench) -> None:
    named_by_another_tool(bench, clients())
    adopt = everything(bench, clients())

    plan = bench.plan(clients(), adopt=adopt)
    assert {str(change.action) for change in plan.changes} == {"adopt"}
    assert not [change.reason for change in plan.changes if "differs" in change.reason and change.address == GATEWAY]
    assert bench.apply(clients(), adopt=adopt).outcome == "succeeded"

    assert bench.changes(clients()) == {}
    assert bench.drift(clients()).items == ()
    assert names(bench) == THEIRS


def test_after_that_an_edit_changes_them_under_their_names(bench: Bench) -> None:
    named_by_another_tool(bench, clients())
    bench.apply(clients(), adopt=everything(bench, clients()))
    edited = clients(*groups(priority=0, address_pool=["172.22.0.0/24"]))

    bench.converge(edited)

    assert names(bench) == THEIRS
    inside = bench.document(gateway_id(bench))["properties"][GROUPS][0]["properties"]
    assert inside["priority"] == 0


def test_a_group_renamed_in_the_blueprint_is_another_group(bench: Bench) -> None:
    named_by_another_tool(bench, clients())
    bench.apply(clients(), adopt=everything(bench, clients()))

    bench.converge(clients(*groups(name="operators")))

    assert sorted(names(bench)["groups"]) == ["operators", "portal-staff"]


def test_one_more_member_is_added_beside_those_of_the_other_tool(bench: Bench) -> None:
    named_by_another_tool(bench, clients())
    bench.apply(clients(), adopt=everything(bench, clients()))
    more = groups(members=[EntraGroup(id=ADMINS), EntraGroup(id=TENANT, member_name="auditors")])

    bench.converge(clients(*more))

    assert names(bench)["members"] == ["policy0", "auditors", "policy0", "policy1"]


def test_a_saved_plan_of_such_a_gateway_is_applied(bench: Bench) -> None:
    named_by_another_tool(bench, clients())
    bench.apply(clients(), adopt=everything(bench, clients()))
    edited = clients(*groups(priority=0))

    plan = bench.plan(edited)
    bench.apply(plan)

    assert bench.changes(edited) == {}
    assert names(bench) == THEIRS


def test_names_given_as_azure_has_them_are_taken_as_they_are(bench: Bench) -> None:
    named_by_another_tool(bench, clients())
    given = [
        UserGroup(
            name="portal-admins", priority=1, address_pool=["172.20.0.0/24"], configuration="config-admins",
            members=[EntraGroup(id=ADMINS, member_name="policy0")],
        ),
        UserGroup(
            name="portal-staff", priority=2, default=True, address_pool=["172.21.0.0/24"], configuration="config-staff",
            members=[
                CertificateDomain(name="a.example.com", member_name="policy0"),
                CertificateDomain(name="b.example.com", member_name="policy1"),
            ],
        ),
    ]  # fmt: skip
    wanted = clients(*given)

    bench.apply(wanted, adopt=everything(bench, wanted))

    assert bench.changes(wanted) == {}
    assert names(bench) == THEIRS


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"members": [EntraGroup(id=ADMINS, member_name="x"), EntraGroup(id=TENANT, member_name="X")]}, "one name"),
        ({"configuration": "staff"}, "Two address pools have one configuration"),
    ],
)
def test_names_that_cannot_both_be_are_refused(more: dict[str, Any], told: str) -> None:
    with pytest.raises((ValueError, BlueprintError), match=told):
        clients(*groups(**more))
