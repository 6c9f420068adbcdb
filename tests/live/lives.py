"""What is built by the live tests: the cheapest thing that has a gateway's surroundings, and a hub with a gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.live.conftest import Target
from vpngw_iac import Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Resource


@dataclass(frozen=True)
class Declared:
    """Resources without a blueprint."""

    name: str
    items: Sequence[Resource]
    formerly: str | None = None
    moved: Mapping[str, str] = field(default_factory=dict)
    waive: Mapping[str, str] = field(default_factory=dict)

    def resources(self, scope: Scope) -> Sequence[Resource]:
        """All of them."""
        del scope
        return self.items


def _make(
    address: str, resource_id: ArmId, region: str | None, properties: Mapping[str, Any] | None = None, **more: Any
) -> Resource:
    model = type_of(resource_id.type)
    assert model is not None
    said = {"location": region} if region else {}
    body = {"properties": properties} if properties is not None else {}
    return model.model_validate({"address": address, "id": resource_id, **said, **body, **more})


def network(target: Target, *, prefixes: Sequence[str] = ("192.168.10.0/24",), **tags: str) -> Declared:
    """A group, a network with its GatewaySubnet, a public address and a local network gateway."""
    region = target.region
    return Declared(
        f"live-{target.token}",
        [
            _make("ResourceGroup/live", target.group_id, region),
            _make(
                "VirtualNetwork/live",
                target.id_of("virtualNetworks", "vnet-live"),
                region,
                {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}},
                tags=dict(tags) or None,
            ),
            _make(
                "Subnet/live/GatewaySubnet",
                target.id_of("virtualNetworks/subnets", "vnet-live", "GatewaySubnet"),
                None,
                {"addressPrefix": "10.1.255.0/27"},
            ),
            _make(
                "PublicIp/live/1",
                target.id_of("publicIPAddresses", "pip-live"),
                region,
                {"publicIPAllocationMethod": "Static"},
                sku={"name": "Standard"},
            ),
            _make(
                "LocalNetworkGateway/live/berlin",
                target.id_of("localNetworkGateways", "lgw-berlin"),
                region,
                {
                    "gatewayIpAddress": "203.0.113.10",
                    "localNetworkAddressSpace": {"addressPrefixes": list(prefixes)},
                },
            ),
        ],
    )


def gateway_hub(target: Target, **site: Any) -> SiteToSite:
    """A hub with the smallest zonal gateway and one site."""
    hub = VirtualNetwork(
        name="vnet-live",
        location=target.region,
        resource_group=target.group,
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    said: dict[str, Any] = {"prefixes": ["192.168.10.0/24"], "shared_key": Secret.env("VPNGW_LIVE_KEY")}
    return SiteToSite(
        name=f"live-{target.token}",
        gateway=VpnGateway(name="vgw-live", network=hub, sku="VpnGw1AZ"),
        sites=[Site(name="berlin", public_ip="203.0.113.10", **(said | site))],
    )
