"""What hangs on gateways, networks and resource groups, whoever put it there: names and ids only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Literal

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId
from vpngw_iac.azure.reading import Reader, in_parallel
from vpngw_iac.azure.retry import Retry
from vpngw_iac.engine.plan.inputs import deployment_in
from vpngw_iac.engine.ports import Attached, Observed
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import type_of

_GATEWAYS = "network.virtual_network_gateways"

Document = Mapping[str, Any]

Kind = Literal["connection", "natRule", "rootCertificate", "peering", "subnet", "policyGroup", "resource"]

_USERS = ("connection", "natRule")
"""What uses instances, addresses and rules of a gateway."""

_INSIDE: Mapping[str, tuple[tuple[Kind, str], ...]] = {
    "microsoft.network/virtualnetworkgateways": (
        ("natRule", "properties.natRules"),
        ("policyGroup", "properties.virtualNetworkGatewayPolicyGroups"),
        ("rootCertificate", "properties.vpnClientConfiguration.vpnClientRootCertificates"),
    ),
    "microsoft.network/virtualnetworks": (
        ("peering", "properties.virtualNetworkPeerings"),
        ("subnet", "properties.subnets"),
    ),
}


class Attachments:
    """Reads what hangs on holders."""

    def __init__(self, reader: Reader, retry: Retry) -> None:
        self._reader = reader
        self._retry = retry
        self._finders: Mapping[str, Callable[[ArmId, Document | None], Iterator[Attached]]] = {
            "microsoft.network/virtualnetworkgateways": self._on_gateway,
            "microsoft.network/virtualnetworks": inside,
        }

    def of(self, holders: Collection[ArmId], seen: Mapping[ArmId, Observed]) -> tuple[Attached, ...]:
        """Everything attached, sorted by holder, kind and name; nothing hangs on what is absent.

        The documents of `seen` are good whether GET or LIST showed them: a LIST of networks shows each as its GET does
        (recordings ``test_network_vnet``, ``java_testNetworkUpdateTags``), one of gateways shows their NAT rules and
        root certificates (``test_network_vnet_gateway_nat_rule``, ``java_testVirtualNetworkGatewayPointToSite``).
        """
        steps = [partial(self._step, holder, seen.get(holder)) for holder in sorted(set(holders))]
        return in_order(item for part in in_parallel(steps) for item in part)

    def _step(self, holder: ArmId, seen: Observed | None) -> list[Attached]:
        if holder.type.lower() == RESOURCE_GROUP_TYPE.lower():
            return list(self._in_group(holder))
        finder = self._finders.get(holder.type.lower())
        if finder is None:
            return []
        return list(finder(holder, seen.document if seen and not seen.unread else self._document(holder)))

    def _on_gateway(self, gateway: ArmId, document: Document | None) -> Iterator[Attached]:
        """``listConnections`` sees connections of other groups and subscriptions, which no LIST of a group does."""
        if document is None:
            return
        items = self._reader.items(gateway, _GATEWAYS, "list_connections") or []
        for item in items:
            self._reader.require_formed(item, f"list connections of {gateway}")
        yield from attached(gateway, "connection", items)
        yield from inside(gateway, document)

    def _in_group(self, group: ArmId) -> Iterator[Attached]:
        found = self._reader.items(group, "resource.resources", "list_by_resource_group") or ()
        yield from attached(group, "resource", found)

    def _document(self, holder: ArmId) -> dict[str, Any] | None:
        return self._retry.read(holder.subscription, lambda: self._reader.raw(holder))


def inside(holder: ArmId, document: Mapping[str, Any] | None) -> Iterator[Attached]:
    """What a gateway's or a network's own document shows."""
    for kind, path in _INSIDE.get(holder.type.lower(), ()):
        yield from attached(holder, kind, objects(value_at(document or {}, path)))


def attached(holder: ArmId, kind: Kind, items: Iterable[Mapping[str, Any]]) -> Iterator[Attached]:
    """Items of a list about a holder."""
    for item in items:
        identity = ArmId.of(item.get("id"))
        name = str(item.get("name") or (identity.name if identity else ""))
        model = type_of(identity.type) if identity else None
        uses = model.uses(identity, item) if model and identity and kind in _USERS else frozenset()
        ends = model.leads_to(item) if model and kind == "connection" else frozenset()
        speaks = value_at(item, "properties.enableBgp") if kind == "connection" else None
        bgp = speaks if isinstance(speaks, bool) else None
        yield Attached(holder, kind, name, identity, deployment_in(item), uses, leads_to=ends, bgp=bgp)


def in_order(found: Iterable[Attached]) -> tuple[Attached, ...]:
    """Sorted by holder, kind and name."""
    return tuple(sorted(found, key=lambda item: (item.holder, item.kind, item.name.lower(), str(item.id))))
