"""What other tools wrote in another spelling is the same: certificates by their content, Entra ID without casing."""

from __future__ import annotations

import copy
import textwrap
from typing import Any

import pytest

from tests.preflight.certificates import certificate
from tests.workspace.conftest import Harness
from tests.worlds import GROUP, REGION, rid
from vpngw_iac.blueprints.client import Certificates, EntraId, RootCertificate
from vpngw_iac.blueprints.gateway import VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.point_to_site import PointToSite
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.usecases.state_commands import StateCommands

GATEWAY = "VpnGateway/vgw-hub"
ID = rid("virtualNetworkGateways", "vgw-hub")
TENANT = "11111111-2222-4333-8444-555555555555"


def clients(**more: Any) -> PointToSite:
    network = VirtualNetwork(
        name="vnet-hub",
        location=REGION,
        resource_group=GROUP,
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    said: dict[str, Any] = {
        "protocols": ["OpenVPN", "IKEv2"],
        "address_pool": ["172.16.0.0/24"],
        "authentication": [
            Certificates(
                roots=[RootCertificate.base64("root", certificate("rsa"))], revoked={"lost": "0123456789" * 4}
            ),
            EntraId(tenant=TENANT),
        ],
    }
    gateway = VpnGateway(name="vgw-hub", network=network, sku="VpnGw1AZ")
    return PointToSite(name="clients", gateway=gateway, **(said | more))


def respelled(harness: Harness, **fields: Any) -> None:
    """Somebody writes the gateway's client block in another way."""
    changed = copy.deepcopy(harness.document(ID))
    block = changed["properties"]["vpnClientConfiguration"]
    block.update(fields)
    changed["properties"].pop("provisioningState")
    harness.simulator.put(str(ID), changed)


def in_lines() -> list[dict[str, Any]]:
    """The root as real gateways hold it: line breaks, and a blank here and there."""
    text = "\r\n".join(textwrap.wrap(certificate("rsa"), 64)) + "\n"
    return [{"name": "root", "properties": {"publicCertData": text}}]


SPELLINGS = {
    "vpnClientRootCertificates": in_lines(),
    "aadTenant": f"https://login.microsoftonline.com/{TENANT.upper()}/",
    "aadIssuer": f"https://sts.windows.net/{TENANT.upper()}",
    "aadAudience": "C632B3DF-FB67-4D84-BDCF-B95AD541B5C8",
}


@pytest.mark.parametrize("field", SPELLINGS)
def test_another_spelling_is_no_difference(field: str, harness: Harness) -> None:
    blueprint = harness.create(clients())
    respelled(harness, **{field: SPELLINGS[field]})

    assert harness.changes(blueprint) == {}
    assert harness.drift(blueprint).items == ()


def test_another_certificate_is_a_difference(harness: Harness) -> None:
    blueprint = harness.create(clients())
    respelled(
        harness, vpnClientRootCertificates=[{"name": "root", "properties": {"publicCertData": certificate("ecc")}}]
    )

    assert harness.changes(blueprint) == {GATEWAY: "update"}


def test_a_root_that_another_tool_named_is_known_by_its_content(harness: Harness) -> None:
    blueprint = harness.create(clients())
    root = in_lines()
    root[0]["name"] = "P2SRootCert"
    respelled(harness, vpnClientRootCertificates=root)
    StateCommands(harness.workspace(), "clients").forget(GATEWAY)

    harness.converge(blueprint, adopt=frozenset({GATEWAY}))

    held = harness.document(ID)["properties"]["vpnClientConfiguration"]["vpnClientRootCertificates"]
    assert [item["name"] for item in held] == ["P2SRootCert"]


def test_what_differs_since_the_adoption_is_never_told_as_changed_since(harness: Harness) -> None:
    harness.create(clients())
    StateCommands(harness.workspace(), "clients").forget(GATEWAY)
    wanted = clients(
        protocols=["OpenVPN"],
        address_pool=["172.16.0.0/23"],
        custom_routes=["10.200.0.0/16", "10.201.0.0/16"],
        authentication=[Certificates(roots=[RootCertificate.base64("root", certificate("expiring"))])],
    )
    harness.apply(wanted, adopt=frozenset({GATEWAY}))
    respelled(harness, vpnClientProtocols=["IkeV2", "OpenVPN"])  # the other order

    change = harness.change(wanted, GATEWAY)

    assert change.action is Action.UPDATE
    assert len(change.differences) > 3
    assert {difference.cause for difference in change.differences} == {"adopted"}
    assert harness.drift(wanted).items == ()
