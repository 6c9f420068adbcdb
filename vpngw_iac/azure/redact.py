"""Secrets that answers echo become fingerprints before a document leaves this folder.

Azure echoes ``sharedKey``, ``radiusServerSecret`` and ``authorizationKey`` in clear (recordings
``test_network_vpn_connection_ipsec``, ``test_network_vnet_gateway_multi_auth``, ``test_network_express_route``),
masks them, or leaves them out: all three must work.
"""

from __future__ import annotations

from typing import Any

from vpngw_iac.engine.ports import Fingerprinter
from vpngw_iac.resources import shape_at
from vpngw_iac.resources.shape import UNKNOWN, Shape

_ALWAYS_SECRET = frozenset({"sharedkey", "authorizationkey", "radiusserversecret", "psk"})
"""Names that are secrets wherever they stand: children inside their parent, types that we do not describe."""

_DROPPED = object()


def without_secrets(document: dict[str, Any], shape: Shape, fingerprint: Fingerprinter) -> dict[str, Any]:
    """The document with a `Fingerprint` in place of each secret; without a key, and where masked, without the leaf."""
    return {name: item for name, item in _members(document, shape, fingerprint).items() if item is not _DROPPED}


def is_masked(value: object) -> bool:
    """A masked or empty value says nothing about the secret: it must not look like a change."""
    return not isinstance(value, str) or not value.strip("* ")


def _members(value: dict[str, Any], shape: Shape, fingerprint: Fingerprinter) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for name, item in value.items():
        inner = _at(shape, name)
        # A tag may be called anything.
        named = name.lower() in _ALWAYS_SECRET and shape.key != ""
        cleaned[name] = item if name == "tags" else _clean(item, inner, fingerprint, secret=inner.write_only or named)
    return cleaned


def _clean(value: Any, shape: Shape, fingerprint: Fingerprinter, *, secret: bool) -> Any:
    if isinstance(value, dict):
        return _DROPPED if secret else without_secrets(value, shape, fingerprint)
    if isinstance(value, list):
        inside = _item(shape)
        items = [_clean(item, inside, fingerprint, secret=secret or inside.write_only) for item in value]
        return [item for item in items if item is not _DROPPED]
    if not secret:
        return value
    mark = None if is_masked(value) else fingerprint(value)
    return _DROPPED if mark is None else mark


def _at(shape: Shape, name: str) -> Shape:
    """Shape of a property; Azure has changed the casing of names between versions."""
    found = shape.fields.get(name)
    if found is None:
        lower = name.lower()
        found = next((inner for known, inner in shape.fields.items() if known.lower() == lower), UNKNOWN)
    return found


def _item(shape: Shape) -> Shape:
    """Shape of a list's items; those of children are what their own type says."""
    return shape_at(shape.children) if shape.children else shape.item or UNKNOWN
