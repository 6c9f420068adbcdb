"""Groups, members, configurations and certificates that another tool named are taken over, not doubled."""

from __future__ import annotations

import copy
import shutil
from typing import Any

import pytest

from tests.workspace.conftest import Harness
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


def gateway_id(harness: Harness) -> ArmId:
    return next(ArmId(text) for text in harness.simulator.documents() if text.endswith("/vgw-p2s"))


def named_by_another_tool(harness: Harness, blueprint: Any) -> None:
    """The gateway as the portal would have made it, and no state of ours."""
    assert harness.apply(blueprint).outcome == "succeeded"
    identity = gateway_id(harness)
    document = copy.deepcopy(harness.document(identity))
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
    harness.simulator.put(str(identity), document)
    shutil.rmtree(harness.folder / ".vpngw")
    harness.mark()


def everything(harness: Harness, blueprint: Any) -> frozenset[str]:
    plan = harness.plan(blueprint)
    return frozenset(a for a, r in plan.graph.resources.items() if not r.only_if_absent)


def names(harness: Harness) -> dict[str, list[str]]:
    properties = harness.document(gateway_id(harness))["properties"]
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


def test_what_another_tool_named_is_taken_over_and_nothing_is_doubled(harness: Harness) -> None:
    named_by_another_tool(harness, clients())
    adopt = everything(harness, clients())

    plan = harness.plan(clients(), adopt=adopt)
    assert {str(change.action) for change in plan.changes} == {"adopt"}
    assert not [change.reason for change in plan.changes if "differs" in change.reason and change.address == GATEWAY]
    assert harness.apply(clients(), adopt=adopt).outcome == "succeeded"

    assert harness.changes(clients()) == {}
    assert harness.drift(clients()).items == ()
    assert names(harness) == THEIRS


def test_after_that_an_edit_changes_them_under_their_names(harness: Harness) -> None:
    named_by_another_tool(harness, clients())
    harness.apply(clients(), adopt=everything(harness, clients()))
    edited = clients(*groups(priority=0, address_pool=["172.22.0.0/24"]))

    harness.converge(edited)

    assert names(harness) == THEIRS
    inside = harness.document(gateway_id(harness))["properties"][GROUPS][0]["properties"]
    assert inside["priority"] == 0


def test_a_group_renamed_in_the_blueprint_is_another_group(harness: Harness) -> None:
    named_by_another_tool(harness, clients())
    harness.apply(clients(), adopt=everything(harness, clients()))

    harness.converge(clients(*groups(name="operators")))

    assert sorted(names(harness)["groups"]) == ["operators", "portal-staff"]


def test_one_more_member_is_added_beside_those_of_the_other_tool(harness: Harness) -> None:
    named_by_another_tool(harness, clients())
    harness.apply(clients(), adopt=everything(harness, clients()))
    more = groups(members=[EntraGroup(id=ADMINS), EntraGroup(id=TENANT, member_name="auditors")])

    harness.converge(clients(*more))

    assert names(harness)["members"] == ["policy0", "auditors", "policy0", "policy1"]


def test_a_saved_plan_of_such_a_gateway_is_applied(harness: Harness) -> None:
    named_by_another_tool(harness, clients())
    harness.apply(clients(), adopt=everything(harness, clients()))
    edited = clients(*groups(priority=0))

    plan = harness.plan(edited)
    harness.apply(plan)

    assert harness.changes(edited) == {}
    assert names(harness) == THEIRS


def test_names_given_as_azure_has_them_are_taken_as_they_are(harness: Harness) -> None:
    named_by_another_tool(harness, clients())
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

    harness.apply(wanted, adopt=everything(harness, wanted))

    assert harness.changes(wanted) == {}
    assert names(harness) == THEIRS


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
