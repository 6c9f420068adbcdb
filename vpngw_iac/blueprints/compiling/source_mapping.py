"""Which part of a blueprint a resource is made for: where its findings are located."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import gateway_address, natural
from vpngw_iac.blueprints.compiling.merged_parts import circuit_uses
from vpngw_iac.blueprints.compiling.network import address_beside, entries_of, owned_beside
from vpngw_iac.blueprints.compiling.site import link_name
from vpngw_iac.blueprints.contribution import Contribution, GatewayLike, Network
from vpngw_iac.blueprints.operations_settings import ExistingMaintenance
from vpngw_iac.blueprints.site import Site


def paths_by_start(contributions: Sequence[Contribution]) -> Mapping[str, str]:
    """The first place (in the order of the file) of each part, by every address, or start of one, made for it."""
    found: dict[str, str] = {}
    for path, starts in _origins(contributions):
        for start in starts:
            found[start] = min(found.get(start, path), path, key=natural)
    return found


def path_of(places: Mapping[str, str], address: str) -> str:
    """The first place of the part that a resource is made for, or an empty text."""
    of_what = address.partition("/")[2]  # locks and the like are called after what they are for
    starts = (start for each in {address, of_what} for start in accumulate(each.split("/"), "{}/{}".format))
    return min((places[start] for start in starts if start in places), key=natural, default="")


def _origins(contributions: Sequence[Contribution]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for contribution in contributions:
        for use in contribution.gateways:
            yield use.path, _of_gateway(use.part)
            if use.part.network is not None:
                yield f"{use.path}.network", _of_network(use.part.network)
        for spare in contribution.local_gateways:
            yield spare.use.path, (f"LocalNetworkGateway/{spare.use.part.address_name}",)
        for on in contribution.sites:
            yield on.use.path, tuple(_of_site(on.use.part, on.gateways[0].address_name))
        for spoke in contribution.spokes:
            yield from _of_spoke(spoke.use.path, spoke.use.part.network, spoke.gateways[0].network)
        for pair in contribution.pairs:
            ends = (pair.part.a.address_name, pair.part.b.address_name)
            yield (
                pair.path,
                tuple(
                    f"{kind}/{near}/{far}{suffix}"
                    for kind in ("VnetConnection", "VpnConnection", "LocalNetworkGateway")
                    for near, far in (ends, ends[::-1])
                    for suffix in ("", "-1", "-2")
                ),
            )
        yield from _of_circuits(contribution)


def _of_circuits(contribution: Contribution) -> Iterator[tuple[str, tuple[str, ...]]]:
    for link in contribution.circuits:
        gateway = link.gateways[0].address_name
        yield link.use.path, (f"ExpressRouteConnection/{gateway}/{link.use.part.name}",)
    for reach in contribution.reaches:
        yield reach.path, (f"GlobalReach/{reach.part.a.address_name}/{reach.part.b.address_name}",)
    for circuit in circuit_uses([contribution]):
        yield circuit.path, tuple(f"{kind}/{circuit.part.address_name}" for kind in ("Circuit", "CircuitPeering"))


def _of_site(site: Site, gateway: str) -> Iterator[str]:
    for link in site.effective_links():
        yield from (f"{kind}/{gateway}/{link_name(site, link)}" for kind in ("LocalNetworkGateway", "VpnConnection"))
        if link.local_gateway is not None:
            yield f"LocalNetworkGateway/{link.local_gateway.address_name}"
        for rule in link.nat or ():
            yield from (f"NatRule/{gateway}/{rule.name}{suffix}" for suffix in ("", "-0", "-1"))


def _of_gateway(part: GatewayLike) -> tuple[str, ...]:
    kinds = (
        "PublicIp",
        "MaintenanceConfiguration",
        "MaintenanceAssignment",
        "DiagnosticSetting",
        "ManagementLock",
        "RoleAssignment",
    )
    window = getattr(part, "maintenance", None)
    used = (f"MaintenanceConfiguration/{window.existing.name}",) if isinstance(window, ExistingMaintenance) else ()
    return (gateway_address(part), *(f"{kind}/{part.address_name}" for kind in kinds), *used)


def _of_network(part: Network) -> tuple[str, ...]:
    tables = map(address_beside, owned_beside(part))
    used = (entry.route_table for entry in entries_of(part) if isinstance(entry.route_table, ArmId))
    ids = (f"routeTables/{table.name}" for table in used)  # as plans call what is there and of no noun
    return (f"VirtualNetwork/{part.address_name}", f"Subnet/{part.address_name}", *tables, *ids)


def _of_spoke(path: str, spoke: Network, hub: Network | None) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield f"{path}.network", _of_network(spoke)
    if hub is not None:
        one, two = hub.address_name, spoke.address_name
        yield path, (f"Peering/{one}/{two}", f"Peering/{two}/{one}")
