"""What nobody may write: each line that ends with ``# refused: CODE`` must be refused by mypy, and no other line."""

from __future__ import annotations

from vpngw_iac.resources.base import Ref
from vpngw_iac.resources.connection import ConnectionProperties
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway
from vpngw_iac.resources.public_ip import PublicIp
from vpngw_iac.resources.subnet import Subnet
from vpngw_iac.resources.virtual_network_gateway import IpConfigurationProperties, VirtualNetworkGateway


def another_type(address: PublicIp) -> IpConfigurationProperties:
    return IpConfigurationProperties(subnet=address.ref())  # refused: arg-type


def a_string(subnet: str) -> IpConfigurationProperties:
    return IpConfigurationProperties(subnet=subnet)  # refused: arg-type


def the_resource_itself(subnet: Subnet) -> IpConfigurationProperties:
    return IpConfigurationProperties(subnet=subnet)  # refused: arg-type


def a_site_for_a_gateway(site: LocalNetworkGateway, gateway: VirtualNetworkGateway) -> ConnectionProperties:
    return ConnectionProperties(
        connection_type="IPsec",
        virtual_network_gateway1=site.ref(),  # refused: arg-type
        local_network_gateway2=gateway.ref(),  # refused: arg-type
    )


def a_literal_key(gateway: VirtualNetworkGateway) -> ConnectionProperties:
    return ConnectionProperties(
        connection_type="IPsec",
        virtual_network_gateway1=gateway.ref(),
        shared_key="hunter2",  # refused: arg-type
    )


def a_kind_of_connection_that_is_none(gateway: VirtualNetworkGateway) -> ConnectionProperties:
    return ConnectionProperties(
        connection_type="GRE",  # refused: arg-type
        virtual_network_gateway1=gateway.ref(),
    )


def an_arrow_to_something_else(gateway: VirtualNetworkGateway) -> Ref[Subnet]:
    return gateway.ref()  # refused: return-value


def no_gateway() -> ConnectionProperties:
    return ConnectionProperties(connection_type="IPsec")  # refused: call-arg
