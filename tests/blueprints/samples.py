"""A scope, short makers of parts, and a reader of paths in bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vpngw_iac import Secret, Site, VirtualNetwork, VpnGateway
from vpngw_iac.arm import Scope
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.wire import Output

ROOT = Path(__file__).parents[2]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
OTHER = "00000000-0000-0000-0000-000000000002"
SCOPE = Scope(SUBSCRIPTION)
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-old/providers/Microsoft.Network"


def network(name: str = "vnet-hub", **more: Any) -> VirtualNetwork:
    said = {
        "location": "westeurope",
        "resource_group": "rg-hub",
        "address_space": ["10.1.0.0/16"],
        "gateway_subnet": "10.1.255.0/27",
    }
    return VirtualNetwork(name=name, **{**said, **more})


def gateway(name: str = "vgw-hub", **more: Any) -> VpnGateway:
    return VpnGateway(**{"name": name, "network": network(), "sku": "VpnGw2AZ", **more})


def site(name: str = "berlin", **more: Any) -> Site:
    said: dict[str, Any] = {"shared_key": Secret.env("PSK")}
    if "links" not in more:
        said |= {"public_ip": "203.0.113.10", "prefixes": ["192.168.10.0/24"]}
    return Site(name=name, **{**said, **more})


def by_address(blueprint: Blueprint, scope: Scope = SCOPE) -> dict[str, Resource | Existing]:
    return {item.address: item for item in blueprint.resources(scope)}


def bodies(blueprint: Blueprint, scope: Scope = SCOPE) -> dict[str, Any]:
    return {item.address: item.body() for item in blueprint.resources(scope) if isinstance(item, Resource)}


def at(document: Any, path: str) -> Any:
    """The value at ``properties.ipConfigurations[0].name``; None if a step is absent."""
    for step in path.replace("[", ".[").split("."):
        if document is None:
            return None
        if step.startswith("["):
            index = int(step[1:-1])
            document = document[index] if index < len(document) else None
        else:
            document = document.get(step)
    return document


def shown(value: Any) -> Any:
    """A declared value as a case file writes it: outputs and secrets as text, ids by their last parts."""
    if isinstance(value, Output):
        return f"output {value.source.name} {value.path}"
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, str) and value.startswith("/subscriptions/"):
        return ".../" + "/".join(value.split("/")[-2:])
    if hasattr(value, "describe"):
        return value.describe()
    return value
