"""What people may write: mypy must accept all of it."""

from __future__ import annotations

from vpngw_iac.arm import ArmId
from vpngw_iac.resources.base import Output, Ref
from vpngw_iac.resources.connection import Connection, ConnectionProperties
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway, LocalNetworkGatewayProperties
from vpngw_iac.resources.public_ip import PublicIp
from vpngw_iac.resources.subnet import Subnet
from vpngw_iac.resources.virtual_network_gateway import IpConfigurationProperties, VirtualNetworkGateway
from vpngw_iac.secret import Secret


def instance(subnet: Subnet, address: PublicIp) -> IpConfigurationProperties:
    return IpConfigurationProperties(subnet=subnet.ref(), public_ip_address=address.ref())


def by_id(subnet: ArmId, address: str) -> IpConfigurationProperties:
    return IpConfigurationProperties(subnet=Ref.to(subnet), public_ip_address=Ref[PublicIp].to(address))


def allocated_later(gateway: ArmId) -> LocalNetworkGatewayProperties:
    return LocalNetworkGatewayProperties(gateway_ip_address=Output(gateway, "properties.ipAddress"))


def joined(gateway: VirtualNetworkGateway, site: LocalNetworkGateway, con: ArmId) -> Connection:
    return Connection(
        address="Connection/berlin",
        id=con,
        needs=(gateway.ref(), site.ref()),
        properties=ConnectionProperties(
            connection_type="IPsec",
            virtual_network_gateway1=gateway.ref(),
            local_network_gateway2=site.ref(),
            shared_key=Secret.env("BERLIN_PSK"),
        ),
    )
