"""What is deployed, as text: tunnels first, then what the other side must be told, then every resource with its id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vpngw_iac.engine.plan.result import Inventory, InventoryItem
from vpngw_iac.report.formatting import byte_count
from vpngw_iac.report.style import Style, columns
from vpngw_iac.resources import model_of
from vpngw_iac.text import plural, report

_GOOD = frozenset({"connected", "succeeded", "provisioned", "enabled"})
_BAD = frozenset({"failed", "absent", "notconnected", "disconnected", "canceled"})


@report
def inventory_text(inventory: Inventory, style: Style) -> str:
    """What is deployed."""
    return "\n".join(_lines(inventory, style)) + "\n"


def _lines(inventory: Inventory, style: Style) -> Iterator[str]:
    if inventory.running:
        yield style.paint(f"A run is in progress: {inventory.running}.", "yellow")
    if not inventory.items:
        yield f"Nothing of {inventory.deployment} is deployed."
        return
    yield style.paint(f"{inventory.deployment}: {plural(len(inventory.items), 'resource')}", "bold")
    yield from _part("Tunnels", [line for item in inventory.items for line in _tunnels(item, style)])
    yield from _part("What the other side is configured with", _addresses(inventory))
    yield from _part("To hand over to the connectivity provider", _handover(inventory))
    for (subscription, group), items in _by_group(inventory.items).items():
        rows = [(item.address, _state(item.state, style), _facts(item), _tail(item)) for item in items]
        yield from _part(f"In resource group {group} of subscription {subscription}", columns(rows))


def _by_group(items: Iterable[InventoryItem]) -> dict[tuple[str, str], list[InventoryItem]]:
    groups: dict[tuple[str, str], list[InventoryItem]] = {}
    for item in items:
        groups.setdefault((item.id.subscription, (item.id.group or "").lower()), []).append(item)
    return groups


def _tail(item: InventoryItem) -> str:
    """The end of an id: what follows the resource group."""
    return item.id.text.rpartition("/providers/")[2] if "/providers/" in item.id.text else ""


def _part(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield ""
        yield title
        yield from (f"  {line}" for line in lines)


def _tunnels(item: InventoryItem, style: Style) -> Iterator[str]:
    """A connection with its status, and each of its tunnels where Azure tells them apart."""
    model = model_of(item.id)
    if model.role != "connection":
        return
    facts = item.facts
    status = _state(str(facts.get("status") or "status not told"), style)
    total = _traffic(facts.get("ingress_bytes"), facts.get("egress_bytes"))
    yield f"{item.address}  {status}  {facts.get('type', '')}, {total}"
    rows = [
        (
            tunnel.name,
            _state(tunnel.status, style),
            _traffic(tunnel.incoming, tunnel.outgoing),
            _since(tunnel.since),
        )
        for tunnel in model.tunnels(facts)
    ]
    yield from columns(rows, indent="    ")


def _since(moment: Any) -> str:
    return f"since {moment} UTC" if moment else "never connected"


def _traffic(incoming: Any, outgoing: Any) -> str:
    return f"in {byte_count(incoming)}, out {byte_count(outgoing)}"


def _addresses(inventory: Inventory) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for item in inventory.items:
        asn = f"AS {item.facts['asn']}" if item.facts.get("asn") else ""
        for name, addresses in model_of(item.id).instances(item.facts):
            told = [f"{label} {', '.join(found)}" for label, found in addresses.items() if found]
            rows.append((item.address, name, "  ".join(filter(None, (*told, asn)))))
    if not rows:
        rows = [(i.address, str(i.facts["ip_address"])) for i in inventory.items if "ip_address" in i.facts]
    return columns(rows)


def _handover(inventory: Inventory) -> list[str]:
    rows = []
    for item in inventory.items:
        gate = model_of(item.id).gate
        state = str(item.facts.get("provider_state") or "")
        if gate is not None and state.lower() != gate.ready.lower():
            provider = item.facts.get("provider", "the provider")
            key = item.facts.get("service_key", "not known yet")
            rows.append((item.address, f"service key {key} to {provider}; it is {state or 'not provisioned'} there"))
    return columns(rows)


def _facts(item: InventoryItem) -> str:
    """The few facts that fit beside a resource."""
    kept = (
        "sku",
        "active_active",
        "ip_address",
        "device",
        "fqdn",
        "prefixes",
        "address_space",
        "peering_state",
        "sync_level",
        "clients",
    )
    told = []
    for name in kept:
        value = item.facts.get(name)
        if name == "sync_level":
            value = None if value == "FullyInSync" or item.facts.get("peering_state") != "Connected" else value
        if name == "active_active":
            told += ["active-active"] if value else []
        elif name == "clients" and value is not None:
            told.append(plural(int(value), "client"))
        elif value not in (None, [], ""):
            told.append(", ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value))
    return ", ".join(told)


def _state(word: str, style: Style) -> str:
    known = word.lower()
    return style.paint(word, "green" if known in _GOOD else "red" if known in _BAD else "yellow")
