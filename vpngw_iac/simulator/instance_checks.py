"""What hangs on the instances of a VPN gateway: custom BGP addresses, NAT rules, and the connections that use both.

An instance is an ipConfiguration. R-BGP-08 to R-BGP-10 and R-NAT-11 say what belongs to one. Addresses that a body
lists for an instance that it no longer has are ignored (``test_network_active_active_cross_premise_connection``, where
they are empty); what else names something that is not there is refused with ``InvalidResourceReference`` (recordings,
section (e)). Codes marked *assumed* are ours.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import PutRequest
from vpngw_iac.simulator.refusal import invalid_reference, refuse
from vpngw_iac.simulator.relations import connections_of
from vpngw_iac.simulator.wire import Json

MOST_ADDRESSES = 32
"""Custom addresses of a gateway (R-BGP-08, R-LIM-08)."""
_FIRST, _LAST = ipaddress.IPv4Address("169.254.21.0"), ipaddress.IPv4Address("169.254.22.255")


def check(change: PutRequest, properties: Json) -> None:
    """Refuse a gateway whose custom addresses are wrong, or that takes away what a rule or connection still uses."""
    _check_addresses(change, properties)
    names = {str(item["name"]).lower() for item in properties["ipConfigurations"]}
    for rule in change.sent.get("natRules") or []:
        bound = (rule.get("properties") or {}).get("ipConfigurationId")
        if bound and last(bound) not in names:
            raise invalid_reference(str(bound), f"{change.id}/natRules/{rule.get('name')}")
    if change.before is not None:
        _check_chosen(change, properties, names)


def _check_addresses(change: PutRequest, properties: Json) -> None:
    """169.254.21.0 to 169.254.22.255, each once, 32 at most (R-BGP-08); codes assumed."""
    custom = [text for _, text in custom_addresses(properties)]
    for text in custom:
        if not _is_usable(text):
            raise refuse(
                "InvalidCustomBgpIpAddress",
                f"Custom BGP IP address {text} of gateway {change.id} is not in the range {_FIRST} to {_LAST}.",
            )
    if len(set(custom)) < len(custom):
        raise refuse("DuplicateCustomBgpIpAddress", f"Gateway {change.id} has a custom BGP IP address twice.")
    if len(custom) > MOST_ADDRESSES:
        raise refuse(
            "TooManyCustomBgpIpAddresses", f"Gateway {change.id} has more than {MOST_ADDRESSES} custom addresses."
        )


def _is_usable(text: str) -> bool:
    try:
        return _FIRST <= ipaddress.IPv4Address(text) <= _LAST
    except ValueError:
        return False


def _check_chosen(change: PutRequest, properties: Json, names: set[str]) -> None:
    """An address that a connection chose stays as long as it does (R-BGP-09, R-BGP-10); code assumed."""
    there = set(custom_addresses(properties))
    for connection in connections_of(change.cloud, str(change.id)):
        for configuration, text in chosen(connection.properties, change.id):
            if (configuration, text) not in there:
                what = f"custom BGP IP address {text}" if configuration in names else f"ipConfiguration {configuration}"
                raise refuse(
                    "VirtualNetworkGatewayCustomBgpIpAddressInUse",
                    f"The {what} cannot be removed from gateway {change.id} because it is in use by connection "
                    f"{connection.id}.",
                )


def check_connection(change: PutRequest, properties: Json, gateway: Document) -> None:
    """A connection chooses among the custom addresses of its gateway's instances (R-BGP-10); code assumed."""
    there = set(custom_addresses(gateway.properties))
    for configuration, text in chosen(properties, gateway.arm_id):
        if (configuration, text) not in there:
            raise refuse(
                "VirtualNetworkGatewayConnectionCustomBgpIpAddressInvalid",
                f"{text} is not a custom BGP IP address of ipConfiguration {configuration} of gateway {gateway.id}, "
                f"which connection {change.id} names.",
            )


def check_nat_rule(change: PutRequest, properties: Json, gateway: Document) -> None:
    """A rule is bound to an instance that is there (R-NAT-11)."""
    bound = properties.get("ipConfigurationId")
    names = {str(item["name"]).lower() for item in gateway.properties["ipConfigurations"]}
    if bound and last(bound) not in names:
        raise invalid_reference(str(bound), str(change.id))


def custom_addresses(properties: Json) -> Iterator[tuple[str, str]]:
    """Name of the ipConfiguration in lower case, and address."""
    for item in (properties.get("bgpSettings") or {}).get("bgpPeeringAddresses") or []:
        for text in item.get("customBgpIpAddresses") or []:
            yield last(item.get("ipconfigurationId")), str(text)


def chosen(properties: Json, gateway: ArmId) -> Iterable[tuple[str, str]]:
    """What a connection chooses of this gateway's addresses."""
    for item in properties.get("gatewayCustomBgpIpAddresses") or []:
        identifier = str(item.get("ipConfigurationId") or "")
        if identifier.lower().startswith(f"{gateway.key}/"):
            yield last(identifier), str(item.get("customBgpIpAddress"))


def last(identifier: object) -> str:
    """The last segment of an id in lower case."""
    return str(identifier or "").rsplit("/", 1)[-1].lower()
