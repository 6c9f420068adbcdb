"""What hangs on gateways, networks and resource groups, whoever put it there: names and ids only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.azure.reading import Reader
from vpngw_iac.azure.retry import Retry
from vpngw_iac.engine.plan.inputs import deployment_in
from vpngw_iac.engine.ports import Attached, Observed
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of, type_of
from vpngw_iac.resources.base import PartKind

_USERS = ("connection", "natRule")
"""What uses instances, addresses and rules of a gateway."""


class Attachments:
    """Reads what hangs on holders."""

    def __init__(self, reader: Reader, retry: Retry) -> None:
        self._reader = reader
        self._retry = retry

    def of(self, holders: Collection[ArmId], seen: Mapping[ArmId, Observed] | None = None) -> tuple[Attached, ...]:
        """Everything attached, sorted by holder, kind and name; nothing hangs on what is absent.

        The documents of `seen` are good whether GET or LIST showed them: a LIST of networks shows each as its GET does
        (recordings ``test_network_vnet``, ``java_testNetworkUpdateTags``), one of gateways shows their NAT rules and
        root certificates (``test_network_vnet_gateway_nat_rule``, ``java_testVirtualNetworkGatewayPointToSite``).
        """
        steps = [partial(self._on, holder, (seen or {}).get(holder)) for holder in sorted(set(holders))]
        return in_order(item for part in self._reader.in_parallel(steps) for item in part)

    def _on(self, holder: ArmId, seen: Observed | None) -> list[Attached]:
        model, found = model_of(holder), list[Attached]()
        if model.parts:
            known = seen.document if seen and not seen.unread else self._document(holder)
            if known is None:
                return []
            found += inside(holder, known)
        if model.lists is not None:
            sdk, method, kind = model.lists
            items = self._reader.items(holder, sdk, method) or []
            for item in items if kind == "connection" else ():
                self._reader.require_formed(item, f"list connections of {holder}")
            found += attached(holder, kind, items)
        return found

    def _document(self, holder: ArmId) -> dict[str, Any] | None:
        return self._retry.read(holder.subscription, lambda: self._reader.raw(holder))


def inside(holder: ArmId, document: Mapping[str, Any] | None) -> Iterator[Attached]:
    """What a gateway's or a network's own document shows."""
    for path, kind in model_of(holder).parts.items():
        yield from attached(holder, kind, objects(value_at(document, path)))


def attached(holder: ArmId, kind: PartKind, items: Iterable[Mapping[str, Any]]) -> Iterator[Attached]:
    """Items of a list about a holder."""
    for item in items:
        identity = ArmId.of(item.get("id"))
        name = str(item.get("name") or (identity.name if identity else ""))
        model = type_of(identity.type) if identity else None
        uses = model.uses(identity, item) if model and identity and kind in _USERS else frozenset()
        ends = model.leads_to(item) if model and kind == "connection" else frozenset()
        bgp = model.speaks_bgp(item) if model and kind == "connection" else None
        yield Attached(holder, kind, name, identity, deployment_in(item), uses, leads_to=ends, bgp=bgp)


def in_order(found: Iterable[Attached]) -> tuple[Attached, ...]:
    """Sorted by holder, kind and name."""
    return tuple(sorted(found, key=lambda item: (item.holder, item.kind, item.name.lower(), str(item.id))))
