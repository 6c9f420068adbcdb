"""What a recording takes for granted, in its least form: networks, addresses and circuits of before its first line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vpngw_iac.arm import ArmId, InvalidArmId
from vpngw_iac.simulator import Simulator

_SPACES = ["10.0.0.0/8", "172.0.0.0/8", "192.168.0.0/16"]
_LEAST: dict[str, dict[str, Any]] = {
    "virtualnetworks": {"properties": {"addressSpace": {"addressPrefixes": _SPACES}}},
    "virtualnetworks/subnets": {"properties": {"addressPrefix": "10.255.255.0/24"}},
    "publicipaddresses": {"sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}},
    "localnetworkgateways": {
        "properties": {
            "gatewayIpAddress": "203.0.113.9",
            "localNetworkAddressSpace": {"addressPrefixes": ["192.0.2.0/24"]},
        }
    },
    "expressroutecircuits": {
        "sku": {"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
        "properties": {
            "serviceProviderProperties": {
                "serviceProviderName": "Equinix",
                "peeringLocation": "Silicon Valley",
                "bandwidthInMbps": 50,
            }
        },
    },
}


def prepare(simulator: Simulator, path: str, body: Any) -> None:
    """Put there what this path and body lean on and nobody has made."""
    location = body.get("location", "westus") if isinstance(body, dict) else "westus"
    own = _as_id(path)
    for needed in [*([own.parent] if own is not None else []), *_references(body)]:
        if needed is not None and needed.names:
            _make(simulator, needed, location)


def _make(simulator: Simulator, needed: ArmId, location: str) -> None:
    known = {identifier.lower() for identifier in simulator.documents()}
    least = _LEAST.get(needed.type.partition("/")[2].lower())
    if least is None or needed.key in known:
        return
    if needed.parent is not None and needed.parent.names:
        _make(simulator, needed.parent, location)
        simulator.put(str(needed), least)
    else:
        simulator.put(str(needed), {"location": location, **least})


def _references(value: Any) -> Iterator[ArmId]:
    if isinstance(value, dict):
        target = _as_id(value["id"]) if set(value) == {"id"} and isinstance(value["id"], str) else None
        if target is not None:
            yield target
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _as_id(text: str) -> ArmId | None:
    try:
        return ArmId(text)
    except InvalidArmId:
        return None
