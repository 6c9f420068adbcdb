"""Small worlds in ARM's own JSON for tests: named entries, patched by a case, turned into resources."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.preflight.certificates import certificate
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import Finding
from vpngw_iac.preflight import check
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.wire import Output

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "rg-hub"
TYPES = {
    "vnet": ("Microsoft.Network/virtualNetworks", "VirtualNetwork"),
    "subnet": ("Microsoft.Network/virtualNetworks/subnets", "Subnet"),
    "peering": ("Microsoft.Network/virtualNetworks/virtualNetworkPeerings", "Peering"),
    "pip": ("Microsoft.Network/publicIPAddresses", "PublicIp"),
    "gateway": ("Microsoft.Network/virtualNetworkGateways", "Gateway"),
    "nat": ("Microsoft.Network/virtualNetworkGateways/natRules", "NatRule"),
    "local": ("Microsoft.Network/localNetworkGateways", "LocalNetworkGateway"),
    "connection": ("Microsoft.Network/connections", "Connection"),
    "circuit": ("Microsoft.Network/expressRouteCircuits", "Circuit"),
    "circuit-peering": ("Microsoft.Network/expressRouteCircuits/peerings", "CircuitPeering"),
    "route-table": ("Microsoft.Network/routeTables", "RouteTable"),
    "nsg": ("Microsoft.Network/networkSecurityGroups", "SecurityGroup"),
    "maintenance": ("Microsoft.Maintenance/maintenanceConfigurations", "MaintenanceConfiguration"),
    "assignment": ("Microsoft.Maintenance/configurationAssignments", "MaintenanceAssignment"),
    "diagnostics": ("Microsoft.Insights/diagnosticSettings", "DiagnosticSetting"),
    "nic": ("Microsoft.Network/networkInterfaces", "NetworkInterface"),
}
_OURS = {"type", "name", "in", "hangs-on", "subscription", "group", "affects", "existing", "facts"}

Entries = dict[str, dict[str, Any]]


@functools.cache
def _worlds() -> dict[str, dict[str, Any]]:
    path = Path(__file__).with_name("worlds.yaml")
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def world_names() -> tuple[str, ...]:
    """Every world."""
    return tuple(_worlds())


def entries_of(name: str) -> Entries:
    """A fresh copy of a world's entries."""
    said = _unshared(_worlds()[name])
    base = entries_of(said.pop("from")) if "from" in said else {}
    changes, dropped = said.pop("set", {}), said.pop("drop", [])
    entries = {key: entry for key, entry in base.items() if key not in dropped} | said
    for path, value in changes.items():
        put(entries, path, value)
    return entries


def _unshared(value: Any) -> Any:
    """A copy in which YAML's aliases are values of their own."""
    return json.loads(json.dumps(value))


def put(entries: Entries, path: str, value: Any) -> None:
    """Set ``key.path[0].to`` to a value; None removes it."""
    steps = [int(step[1:-1]) if step[0] == "[" else step for step in re.findall(r"[^.\[\]]+|\[\d+\]", path)]
    place: Any = entries
    for step in steps[:-1]:
        place = place.setdefault(step, {}) if isinstance(step, str) else place[step]
    if value is None and isinstance(place, dict):
        place.pop(steps[-1], None)
    else:
        place[steps[-1]] = copy.deepcopy(value)


@dataclass(frozen=True)
class World:
    """Entries ready to be judged."""

    entries: Entries
    seen: Mapping[str, Any] = field(default_factory=dict)
    """What Azure shows, by key: a patch over the entry's own document."""

    def id(self, key: str) -> ArmId:
        """Id of an entry; ``key/segment/name`` is a part of it."""
        name, *rest = key.split("/")
        entry = self.entries[name]
        arm_type, _ = TYPES[entry["type"]]
        if "in" in entry:
            found = self.id(entry["in"]).child(arm_type.rpartition("/")[2], entry["name"])
        elif "hangs-on" in entry:
            found = self.id(entry["hangs-on"]).extension(arm_type, entry["name"])
        else:
            subscription, group = entry.get("subscription", SUBSCRIPTION), entry.get("group", GROUP)
            found = ArmId.build(subscription, group, arm_type, entry["name"])
        return ArmId("/".join([found.text, *rest]))

    def address(self, key: str) -> str:
        """Our name for an entry."""
        return f"{TYPES[self.entries[key]['type']][1]}/{key}"

    def document(self, key: str) -> dict[str, Any]:
        """The wire document of an entry."""
        entry = self.entries[key]
        return {name: self._resolved(value) for name, value in entry.items() if name not in _OURS}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        if isinstance(value, str) and value[:1] == "@":
            return str(self.id(value[1:]))
        if isinstance(value, str) and value[:1] == "&":
            return Output(self.id(value[1:]), "properties.ipAddress")
        if isinstance(value, str) and value[:1] == "%":
            return certificate(value[1:])
        return value

    def item(self, key: str) -> Resource | Existing:
        """The resource, or the existing thing, that an entry is."""
        entry = self.entries[key]
        if entry.get("existing") or "facts" in entry:
            facts = {path: self._resolved(value) for path, value in entry.get("facts", {}).items()}
            return Existing(self.address(key), self.id(key), facts)
        model = type_of(TYPES[entry["type"]][0])
        assert model is not None, f"{entry['type']} is not a managed type"
        own = {"address": self.address(key), "id": self.id(key), "affected": tuple(entry.get("affects", ()))}
        return model.model_validate({**own, **self.document(key)})

    @property
    def items(self) -> list[Resource | Existing]:
        """Everything."""
        return [self.item(key) for key in self.entries]

    @property
    def observed(self) -> dict[ArmId, dict[str, Any]]:
        """What Azure shows, by id."""
        return {self.id(key): self._shown(key) for key in self.seen}

    def _shown(self, key: str) -> dict[str, Any]:
        entries: Entries = {key: self.document(key)}
        for path, value in (self.seen[key] or {}).items():
            put(entries, f"{key}.{path}", value)
        return dict(self._resolved(entries[key]))


def site(name: str, number: int, **more: Any) -> Entries:
    """A further site of the gateway ``vgw``: a local network gateway and a connection."""
    prefixes = more.get("prefixes", [f"192.168.{100 + number}.0/24"])
    bgp = more.get("bgp")
    local: dict[str, Any] = {
        "gatewayIpAddress": more.get("ip", f"198.51.100.{number % 250 + 1}"),
        "localNetworkAddressSpace": {"addressPrefixes": prefixes},
    }
    if bgp:
        local["bgpSettings"] = {"asn": bgp[0], "bgpPeeringAddress": bgp[1]}
    policy = entries_of("hub")["con-berlin"]["properties"]["ipsecPolicies"]
    properties = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": {"id": f"@{more.get('gateway', 'vgw')}"},
        "localNetworkGateway2": {"id": f"@lgw-{name}"},
        "sharedKey": {"source": "env", "name": "SITE_PSK"},
        "enableBgp": bool(bgp),
        "ipsecPolicies": policy,
        **more.get("connection", {}),
    }
    common = {"location": more.get("location", "westeurope"), "affects": [more.get("site", name)]}
    return {
        f"lgw-{name}": {"type": "local", "name": f"lgw-{name}", **common, "properties": local},
        f"con-{name}": {"type": "connection", "name": f"con-{name}", **common, "properties": properties},
    }


def build(case: Mapping[str, Any]) -> World:
    """The world of a case."""
    case = _unshared(case)
    entries = entries_of(case.get("world", "hub"))
    for key in case.get("drop", []):
        del entries[key]
    for number in range(case.get("more-sites", 0)):
        block = [f"192.{168 + number // 200}.{number % 200 + 20}.0/24"]
        entries |= site(f"s{number}", number, prefixes=block, ip=f"198.{51 + number // 200}.100.{number % 200 + 1}")
    for number, (name, more) in enumerate(case.get("sites", {}).items()):
        location = entries["vgw"]["location"]
        entries |= site(name, number, **{"location": location, **(more or {})})
    for key, entry in case.get("add", {}).items():
        like = entry.pop("like", None) if isinstance(entry, dict) else None
        base = copy.deepcopy(entries[like]) | {"name": key} if like else {}
        entries[key] = {**base, **{name: value for name, value in entry.items() if name != "set"}}
        for path, value in entry.get("set", {}).items():
            put(entries, f"{key}.{path}", value)
    for path, value in case.get("set", {}).items():
        put(entries, path, value)
    entries |= _crowds(case, entries)
    for path, repeat in case.get("repeat", {}).items():
        put(entries, path, [_numbered(repeat["item"], number) for number in range(repeat["times"])])
    return World(entries, case.get("seen", {}))


def _crowds(case: Mapping[str, Any], entries: Entries) -> Entries:
    """Many of something: ``circuits`` on the gateway, ``links`` of the circuit, ``nat-rules``, ``groups`` …"""
    found: Entries = {}
    for number in range(1, case.get("circuits", 1)):
        found[f"erc{number}"] = circuit = copy.deepcopy(entries["erc"]) | {"name": f"erc-{number}"}
        place = case.get("place", ["London", "Paris", "Dublin", "Milan", "Zurich", "Madrid"][number % 6])
        put(found, f"erc{number}.properties.serviceProviderProperties.peeringLocation", place)
        if case.get("foreign"):
            found[f"erc{number}"] = {name: circuit[name] for name in ("type", "name")} | {"existing": True}
        found[f"con-er{number}"] = copy.deepcopy(entries["con-er"]) | {"name": f"con-er-{number}"}
        put(found, f"con-er{number}.properties.peer", {"id": f"@erc{number}"})
    for number in range(1, case.get("links", 1)):
        found[f"ergw{number}"] = {"type": "gateway", "name": f"ergw-{number}", "existing": True}
        found[f"con-er{number}"] = copy.deepcopy(entries["con-er"]) | {"name": f"con-er-{number}"}
        put(found, f"con-er{number}.properties.virtualNetworkGateway1", {"id": f"@ergw{number}"})
    for number in range(case.get("spare-circuits", 0)):
        found[f"spare{number}"] = copy.deepcopy(entries["erc"]) | {"name": f"spare-{number}"}
    for number in range(1, case.get("peerings", 1)):
        remote = ArmId.build(SUBSCRIPTION, GROUP, TYPES["vnet"][0], f"other{number}")
        properties = {"remoteVirtualNetwork": {"id": str(remote)}}
        found[f"peer{number}"] = {"type": "peering", "in": "vnet", "name": f"to-{number}", "properties": properties}
    found |= _bound_links(case.get("bound-links", 0), entries)
    for number in range(case.get("nat-rules", 0)):
        mapping = [{"addressSpace": f"172.20.{number // 256}.{number % 256}/32"}]
        properties = {"mode": "IngressSnat", "internalMappings": mapping, "externalMappings": mapping}
        found[f"nat{number}"] = {"type": "nat", "in": "vgw", "name": f"nat{number}", "properties": properties}
    for number in range(2, case.get("groups", 0)):
        group = {"isDefault": False, "priority": 10 * number, "policyMembers": []}
        entries["vgw"]["properties"]["virtualNetworkGatewayPolicyGroups"].append(
            {"name": f"group{number}", "properties": group}
        )
    return found


def _bound_links(times: int, entries: Entries) -> Entries:
    """Links with an APIPA /30 each, all on the first instance; the second one's only address is named too."""
    found: Entries = {}
    own = [f"169.254.21.{4 * number + 2}" for number in range(times)]
    other = "169.254.22.2"
    for number, azure in enumerate(own):
        choice = [
            {"ipConfigurationId": "@vgw/ipConfigurations/default", "customBgpIpAddress": azure},
            {"ipConfigurationId": "@vgw/ipConfigurations/activeActive", "customBgpIpAddress": other},
        ]
        peer = f"169.254.21.{4 * number + 1}"
        found |= site(f"b{number}", number, bgp=(65030, peer), connection={"gatewayCustomBgpIpAddresses": choice})
    if times:
        addresses = [
            {"ipconfigurationId": "@vgw/ipConfigurations/default", "customBgpIpAddresses": own},
            {"ipconfigurationId": "@vgw/ipConfigurations/activeActive", "customBgpIpAddresses": [other]},
        ]
        put(entries, "vgw.properties.bgpSettings.bgpPeeringAddresses", addresses)
    return found


def _numbered(value: Any, number: int) -> Any:
    """The item with ``{n}``, ``{hi}`` and ``{lo}`` filled in."""
    if isinstance(value, dict):
        return {key: _numbered(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    if isinstance(value, str):
        return value.replace("{n}", str(number)).replace("{hi}", str(number // 256)).replace("{lo}", str(number % 256))
    return value


def judge(case: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Every finding about a case.

    `plan` says what the plan creates, changes and deletes (``leaves``), `keys` which secrets are at hand.
    """
    world = build(case)
    plan = case.get("plan")
    keys: Mapping[str, str] = case.get("keys", {"BERLIN_PSK": "x" * case["long-key"]} if "long-key" in case else {})
    leaves: list[str] = (plan or {}).get("leaves", [])
    return check(
        [world.item(key) for key in world.entries if key not in leaves],
        waive=case.get("waive", {}),
        profile=case.get("profile"),
        observed=world.observed if plan is not None or world.seen else None,
        created_or_replaced=None if plan is None else [world.id(key) for key in plan.get("creates", [])],
        changed=None if plan is None else {world.id(k): paths for k, paths in plan.get("changes", {}).items()},
        backups=case.get("backups"),
        deleted={world.id(key): world.address(key) for key in leaves},
        live=case.get("live", False),
        reveal=(lambda reference: keys.get(getattr(reference, "name", ""))) if keys else None,
    )
