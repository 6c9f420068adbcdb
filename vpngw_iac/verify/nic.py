"""Which way a machine sends what belongs to a site: the only witness of which path carries. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vpngw_iac.arm import ArmId
from vpngw_iac.preflight.prefixes import is_within, network
from vpngw_iac.verify.expectation import SubjectExpectation
from vpngw_iac.verify.questions import EffectiveRoute, EffectiveRoutes, GatewayStatus, Unknown

_GATEWAY = "VirtualNetworkGateway"


def nic_notes(
    name: str, subject: SubjectExpectation, seen: EffectiveRoutes, gateways: Mapping[ArmId, GatewayStatus | Unknown]
) -> list[str]:
    """One sentence for each prefix of the subject; `gateways` are those of its paths."""
    wanted = dict.fromkeys((*subject.expects, *(prefix for path in subject.paths for prefix in path.prefixes)))
    mine = {path.gateway for path in subject.paths}
    ours = {address: gateway.name for gateway in mine for address in _addresses(gateways.get(gateway))}
    return [_sentence(name, prefix, _best(prefix, seen.rows), ours) for prefix in wanted]


def _sentence(name: str, prefix: str, route: EffectiveRoute | None, ours: Mapping[str, str]) -> str:
    if route is None:
        return f"{name} has no route to {prefix}"
    if route.hop_type != _GATEWAY:
        return f"{name} sends {prefix} to {route.hop_type}{_to(route.hops)}"
    by = [ours[hop] for hop in route.hops if hop in ours]
    if by:
        return f"{name} sends {prefix} through {by[0]}{_to(route.hops)}"
    return f"{name} sends {prefix} through another gateway{_to(route.hops)}: ExpressRoute, if there is a circuit"


def _to(hops: Iterable[str]) -> str:
    told = ", ".join(hops)
    return f" ({told})" if told else ""


def _best(prefix: str, rows: Iterable[EffectiveRoute]) -> EffectiveRoute | None:
    """The most specific route that covers the whole prefix."""
    wanted = network(prefix)
    if wanted is None:
        return None
    known = ((network(row.prefix), row) for row in rows)
    covering = [(one.prefixlen, row) for one, row in known if one is not None and is_within(wanted, [one])]
    return max(covering, key=lambda one: one[0])[1] if covering else None


def _addresses(gateway: GatewayStatus | Unknown | None) -> list[str]:
    known = gateway.addresses if isinstance(gateway, GatewayStatus) and gateway.addresses else {}
    return [address for each in known.values() for address in each]
