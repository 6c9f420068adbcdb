"""The real SDK in front of the simulator, in virtual time: pollers sleep through the transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from vpngw_iac.azure.transport import CallableTransport
from vpngw_iac.simulator import Simulator, VirtualTime

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
OTHER_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-hub"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
REGION = "westeurope"

Body = dict[str, Any]


class VirtualTransport(CallableTransport):
    """Lets simulated time pass where the SDK would wait."""

    def __init__(self, simulator: Simulator, time: VirtualTime) -> None:
        super().__init__(simulator.send)
        self._time = time

    def sleep(self, duration: float) -> None:
        self._time.advance(duration)


class Token:
    """A credential that needs no network."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("simulated", 4_000_000_000)


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def simulator(time: VirtualTime) -> Simulator:
    return Simulator(time=time)


@pytest.fixture
def client(simulator: Simulator, time: VirtualTime) -> NetworkManagementClient:
    return network_client(simulator, time)


def network_client(
    simulator: Simulator, time: VirtualTime, subscription: str = SUBSCRIPTION, **options: Any
) -> NetworkManagementClient:
    return NetworkManagementClient(
        Token(), subscription, transport=VirtualTransport(simulator, time), retry_total=0, **options
    )


@pytest.fixture
def groups(simulator: Simulator, time: VirtualTime) -> ResourceManagementClient:
    return ResourceManagementClient(Token(), SUBSCRIPTION, transport=VirtualTransport(simulator, time), retry_total=0)


@pytest.fixture
def deployments(simulator: Simulator, time: VirtualTime) -> Any:
    from azure.mgmt.resource.deployments import DeploymentsMgmtClient

    transport = VirtualTransport(simulator, time)
    return DeploymentsMgmtClient(Token(), SUBSCRIPTION, transport=transport, retry_total=0)


def vnet(prefix: str = "10.1.0.0/16", gateway_subnet: str | None = "10.1.255.0/27") -> Body:
    subnets = [{"name": "GatewaySubnet", "properties": {"addressPrefix": gateway_subnet}}] if gateway_subnet else []
    return {"location": REGION, "properties": {"addressSpace": {"addressPrefixes": [prefix]}, "subnets": subnets}}


def public_ip(**changes: Any) -> Body:
    body: Body = {
        "location": REGION,
        "sku": {"name": "Standard"},
        "zones": ["1", "2", "3"],
        "properties": {"publicIPAllocationMethod": "Static"},
    }
    return body | changes


def configuration(name: str, ip: str, network: str = "vnet-hub") -> Body:
    return {
        "name": name,
        "properties": {
            "subnet": {"id": f"{NETWORK}/virtualNetworks/{network}/subnets/GatewaySubnet"},
            "publicIPAddress": {"id": f"{NETWORK}/publicIPAddresses/{ip}"},
        },
    }


def gateway(*configurations: Body, sku: str = "VpnGw2AZ", **properties: Any) -> Body:
    return {
        "location": REGION,
        "properties": {
            "gatewayType": "Vpn",
            "vpnType": "RouteBased",
            "sku": {"name": sku, "tier": sku},
            "ipConfigurations": list(configurations) or [configuration("default", "pip-1")],
            **properties,
        },
    }


def site(address: str = "203.0.113.10", prefix: str = "192.168.10.0/24", **properties: Any) -> Body:
    inner = {"gatewayIpAddress": address, "localNetworkAddressSpace": {"addressPrefixes": [prefix]}, **properties}
    return {"location": REGION, "properties": inner}


def connection(to: str = "lgw-berlin", key: str | None = "abc123", **properties: Any) -> Body:
    inner: Body = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": f"{NETWORK}/virtualNetworkGateways/vgw-hub"},
        "localNetworkGateway2": {"id": f"{NETWORK}/localNetworkGateways/{to}"},
        **properties,
    }
    return {"location": REGION, "properties": inner | ({"sharedKey": key} if key is not None else {})}


@pytest.fixture
def hub(simulator: Simulator) -> Callable[..., None]:
    """Make a hub at once: group, network, public IPs and, unless told otherwise, the gateway and one site."""

    def make(*, with_gateway: bool = True, with_connection: bool = False) -> None:
        simulator.put(GROUP, {"location": REGION})
        simulator.put(f"{NETWORK}/virtualNetworks/vnet-hub", vnet())
        for number in (1, 2, 3):
            simulator.put(f"{NETWORK}/publicIPAddresses/pip-{number}", public_ip())
        simulator.put(f"{NETWORK}/localNetworkGateways/lgw-berlin", site())
        if with_gateway:
            simulator.put(f"{NETWORK}/virtualNetworkGateways/vgw-hub", gateway())
        if with_connection:
            simulator.put(f"{NETWORK}/connections/con-berlin", connection())

    return make
