"""What Azure has of a resource and the blueprint does not say: kept by every update, and worth a comment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.paths import join
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of

_ENVELOPE = frozenset({"id", "name", "type", "etag", "tags", "kind", "managedBy", "systemData"})
_FILLED_IN = frozenset({
    "properties.bgpSettings", "properties.sku.tier", "properties.vpnGatewayGeneration", "properties.dpdTimeoutSeconds",
    "properties.vpnClientConfiguration.vpnClientProtocols", "properties.principalType", "zones",
})  # fmt: skip
"""What Azure fills in whatever is said."""

_USUAL = {"properties.vpnType": "routebased"}
"""What says nothing where it has its usual value: on ExpressRoute gateways."""


def unsaid(resource: Resource, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of what an observed document has beyond the resource's own body, Azure's defaults and its own writing."""
    found = _beyond(shape_of(type(resource)), resource.body(), document, "")
    return tuple(path.removeprefix("properties.") for path in found if path not in _FILLED_IN)


def _beyond(shape: Shape, body: Any, document: Mapping[str, Any], path: str) -> Iterator[str]:
    for name, value in document.items():
        place, child = join(path, name), shape.at(name)
        if (not path and name in _ENVELOPE) or child == UNKNOWN or child.read_only or child.children:
            continue
        said = body.get(name) if isinstance(body, Mapping) else None
        if isinstance(value, Mapping) and (isinstance(said, Mapping) or (said is None and child.fields)):
            yield from _beyond(child, said or {}, value, place)
        elif said is None and not _is_default(child, value) and _USUAL.get(place) != str(value).lower():
            yield place


def _is_default(shape: Shape, value: Any) -> bool:
    if value is None or value in ("", [], {}, False, 0):
        return True
    if shape.item is not None and shape.item.fields and isinstance(value, list):
        return shape.items_stay and all(not list(_inside(shape, item)) for item in value)
    if not shape.has_default:
        return False
    folded = value.lower() if isinstance(value, str) and shape.any_case else value
    known = shape.default.lower() if isinstance(shape.default, str) and shape.any_case else shape.default
    return bool(folded == known)


def _inside(shape: Shape, item: Any) -> Iterator[str]:
    """What an item of Azure's own says beyond its key."""
    inner = shape.item or UNKNOWN
    return _beyond(inner, {shape.key: item.get(shape.key or "")}, item, "") if isinstance(item, Mapping) else iter(())
