"""ExpressRoute circuits themselves: how far they reach, and the prefixes of their peerings."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.preflight import limits, prefixes
from vpngw_iac.preflight.registry import Violation, circuits, connections, each, rule, vpn_gateways
from vpngw_iac.preflight.view.connection import Connection
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.network import Circuit
from vpngw_iac.preflight.view.topology import CIRCUIT_PEERING, TopologyView
from vpngw_iac.text import listed

_AREAS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Europe": (
        ("Amsterdam", "Berlin", "Copenhagen", "Dublin", "Frankfurt", "Geneva", "London", "Madrid", "Marseille", "Milan",
         "Munich", "Newport", "Oslo", "Paris", "Rome", "Stavanger", "Stockholm", "Vienna", "Warsaw", "Zurich"),
        ("austria", "belgium", "denmark", "france", "germany", "italy", "northeurope", "norway", "poland", "spain",
         "sweden", "switzerland", "uk", "westeurope"),
    ),
    "North America": (
        ("Atlanta", "Chicago", "Dallas", "Denver", "Las Vegas", "Los Angeles", "Miami", "Minneapolis", "Montreal",
         "New York", "Phoenix", "Portland", "Quebec City", "Queretaro", "San Antonio", "Seattle", "Silicon Valley",
         "Toronto", "Vancouver", "Washington DC"),
        ("canada", "centralus", "eastus", "mexico", "northcentralus", "southcentralus", "westcentralus", "westus"),
    ),
    "Australia": (("Auckland", "Canberra", "Melbourne", "Perth", "Sydney"), ("australia", "newzealand")),
    "Japan": (("Osaka", "Tokyo"), ("japan",)),
    "India": (("Chennai", "Mumbai", "Pune"), ("centralindia", "jioindia", "southindia", "westindia")),
    "Korea": (("Busan", "Seoul"), ("korea",)),
    "South America": (("Bogota", "Campinas", "Rio de Janeiro", "Santiago", "Sao Paulo"), ("brazil", "chile")),
    "Africa": (("Cape Town", "Johannesburg", "Lagos"), ("southafrica",)),
    "Asia": (("Bangkok", "Hong Kong", "Jakarta", "Kuala Lumpur", "Singapore", "Taipei"),
             ("eastasia", "indonesia", "malaysia", "southeastasia", "taiwan")),
}  # fmt: skip
"""Peering locations and regions (by the beginning of their names) of a geopolitical region, as read; not complete."""


def _area(text: str | None, *, is_region: bool) -> str | None:
    wanted = (text or "").lower()
    for area, (places, regions) in _AREAS.items():
        names = regions if is_region else tuple(place.lower() for place in places)
        if wanted and any(wanted.startswith(name) for name in names):
            return area
    return None


@rule("R-ER-18", "E", "Circuit does not reach this region", "ERLINK", "Use a Premium circuit.", ages=True)
@each(connections)
def reach(connection: Connection) -> Iterator[Violation]:
    """A Standard circuit reaches its own geopolitical region; our list of places is not complete, so it warns."""
    circuit, gateway = connection.circuit, connection.gateway
    if circuit is None or gateway is None or circuit.tier != "Standard":
        return
    here, there = _area(gateway.location, is_region=True), _area(circuit.location, is_region=False)
    if here and there and here != there:
        yield Violation(
            connection.resource,
            f"{circuit.resource.address} is a Standard circuit in {circuit.location} ({there}), the gateway is in "
            f"{gateway.location} ({here}; list of {limits.READ_ON}).",
            level="warning",
        )


@rule("R-ER-24", "I", "Peering of a circuit needs other prefixes", "ERWF", "Use two /30 prefixes.")
def peering_prefixes(topology: TopologyView) -> Iterator[Violation]:
    """Two /30 for IPv4."""
    for peering in topology.of_type(CIRCUIT_PEERING):
        for name in ("primaryPeerAddressPrefix", "secondaryPeerAddressPrefix"):
            prefix = prefixes.network(peering.text(f"properties.{name}"))
            if prefix is not None and prefix.version == 4 and prefix.prefixlen != 30:
                yield Violation(peering, f"{name} is {prefix}; Azure takes a /30.", level="warning")


@rule(
    "R-ER-29",
    "E",
    "No such circuit is sold",
    "ERFAQ, ERDIR, ERLOC",
    "Choose a bandwidth of Microsoft's list, and the data plan that goes with it.",
    when="change",
)
@each(circuits)
def offers(circuit: Circuit) -> Iterator[Violation]:
    """A provider's circuit has one of eight bandwidths; Local has 1 Gbps or more and unlimited data.

    On a Direct port all data is metered, Local included.
    """
    data = (circuit.resource.text("sku.family") or "").lower()
    size = circuit.megabits
    if not circuit.resource.is_managed or size is None:
        return
    if circuit.is_direct and data == "unlimiteddata":
        says = "It stands on a Direct port, where all data is metered."
        yield Violation(circuit.resource, says, "Use MeteredData.", block="sku")
    if circuit.is_direct and size not in limits.DIRECT_MEGABITS:
        says = f"{size} Mbps is not on the list of {limits.READ_ON}: {listed(limits.DIRECT_MEGABITS)}."
        yield Violation(circuit.resource, says, level="warning")
    elif not circuit.is_direct and size not in limits.CIRCUIT_MEGABITS:
        more = size > limits.CIRCUIT_MEGABITS[-1]
        says = f"{size} Mbps is not on the list of {limits.READ_ON}: {listed(limits.CIRCUIT_MEGABITS)}."
        yield Violation(circuit.resource, says, level="warning" if more else "error", block=_BANDWIDTH)
    if not circuit.is_direct and circuit.tier == "Local" and data == "metereddata":
        says = "A Local circuit has unlimited data only."
        yield Violation(circuit.resource, says, "Use Local_UnlimitedData.", block="sku")
    if circuit.tier == "Local" and size < limits.LOCAL_MEGABITS:
        says = f"A Local circuit has {limits.LOCAL_MEGABITS} Mbps or more, this one {size}."
        yield Violation(circuit.resource, says, "Order more bandwidth, or use Standard.", block=_BANDWIDTH)


_BANDWIDTH = "properties.serviceProviderProperties.bandwidthInMbps"


@rule("R-BGP-13", "I", "More network prefixes than a VPN gateway takes", "LIM", "Summarise address spaces.")
@each(vpn_gateways)
def network_prefixes(gateway: Gateway) -> Iterator[Violation]:
    """600 prefixes, those of peered networks with transit included."""
    network = gateway.network
    if network is None:
        return
    number = len(network.prefixes) + sum(len(spoke.prefixes) for spoke in network.reach)
    if number > limits.NETWORK_PREFIXES:
        yield Violation(
            gateway.resource,
            f"{number} prefixes of networks; a VPN gateway takes {limits.NETWORK_PREFIXES}.",
            level="warning",
        )
