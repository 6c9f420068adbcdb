"""Azure's manners as a mutation: any answer that means what was declared, as the recordings show answers to be.

Ids and enums in another casing, properties and sets in another order, defaults filled in or left out, bookkeeping in
each element, back references, BGP addresses joined by a comma, secrets echoed, masked or missing, people's own tags
and items beside ours, and properties that nobody has heard of.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from random import Random
from typing import Any

from vpngw_iac.resources.shape import UNKNOWN, Shape

_GONE = object()
SECRET = "the value of a secret"
MASKS = ("", "*****", "********", None)
_REGIONS = {"westeurope": "West Europe", "northeurope": "North Europe"}


def answer(dice: Random, shape: Shape, body: Mapping[str, Any], *, by_list: bool = False) -> dict[str, Any]:
    """A document that Azure may show for this body; secrets in it are texts."""
    shown = _noisy(dice, shape, body, by_list)
    shown["properties"] = {**(shown.get("properties") or {}), "provisioningState": "Succeeded"}
    return shown


def _noisy(dice: Random, shape: Shape, value: Any, by_list: bool) -> Any:
    if shape.write_only:
        return value if isinstance(value, str) and dice.random() < 0.5 else dice.choice([*MASKS, _GONE])
    if isinstance(value, Mapping):
        return _object(dice, shape, value, by_list)
    if isinstance(value, list):
        return _list(dice, shape, value, by_list)
    if isinstance(value, str):
        return _text(dice, shape, value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _object(dice: Random, shape: Shape, value: Mapping[str, Any], by_list: bool) -> dict[str, Any]:
    if shape.only_id:
        return {"id": _text(dice, shape.at("id"), value["id"])}
    shown: dict[str, Any] = {}
    for name, item in value.items():
        child = shape.at(name)
        is_empty = name in shape.fields and item in ("", [], {})  # the entry of a map says something by being there
        means_nothing = is_empty or (child.has_default and item == child.default)
        if (means_nothing and dice.random() < 0.5) or (by_list and child.not_in_list):
            if means_nothing and dice.random() < 0.3:
                shown[name] = None  # as diagnostic settings are answered
            continue
        spoken, told = _other_form(dice, child, name, item)
        inner = _noisy(dice, shape.at(spoken), told, by_list)
        if inner is not _GONE:
            shown[_recased(dice, spoken) if shape.key == "" else spoken] = inner
    names = {shape.at(name).also_as for name in value} | set(value)
    for name, child in shape.fields.items():
        if name not in names:
            _add(dice, shown, name, child)
    shown |= {"foreign": "of somebody else"} if shape.key == "" else {"inventedIn2031": {"a": [1]}}
    return dict(sorted(shown.items(), key=lambda _: dice.random()))


def _add(dice: Random, shown: dict[str, Any], name: str, child: Shape) -> None:
    """What Azure adds by itself: its own bookkeeping, defaults, and whatever others declared."""
    if name == "bgpPeeringAddress" and child.read_only:
        shown[name] = "10.12.255.4,10.12.255.5"
    elif child.read_only:
        shown[name] = dice.choice(
            ["W/x", {"id": "/SUBSCRIPTIONS/S/BACK"}, [{"id": "/SUBSCRIPTIONS/S/BACK"}], 384, False]
        )
    elif child.children:
        shown[name] = [{"id": "/subscriptions/s/child", "name": "of-others", "properties": {"mode": "EgressSnat"}}]
    elif child.has_default and dice.random() < 0.7:
        shown[name] = child.default
    elif child.write_only:
        shown[name] = dice.choice(["echoed although nobody declared it", *MASKS])
    elif dice.random() < 0.2:
        shown[name] = None
    elif child.key and dice.random() < 0.5:
        shown[name] = [{child.key: "of-others"}]


def _list(dice: Random, shape: Shape, value: list[Any], by_list: bool) -> list[Any]:
    item = shape.item or UNKNOWN
    shown = [_noisy(dice, item, element, by_list) for element in value]
    for number, element in enumerate(shown):
        if isinstance(element, dict) and item.fields and "id" not in item.fields:
            element |= {"id": f"/SUBSCRIPTIONS/S/PARTS/{number}", "etag": 'W/"1"', "type": "Microsoft.Network/parts"}
    if shape.key and dice.random() < 0.5:
        shown.append({shape.key: "of-others", "properties": {"provisioningState": "Succeeded"}})
    if shape.key or shape.unordered:
        dice.shuffle(shown)
    return shown


def _other_form(dice: Random, child: Shape, name: str, item: Any) -> tuple[str, Any]:
    """``addressPrefix`` as a list of one, and the other way."""
    if not child.also_as or dice.random() < 0.5:
        return name, item
    if isinstance(item, list):
        return (child.also_as, item[0]) if len(item) == 1 else (name, item)
    return child.also_as, [item]


def _text(dice: Random, shape: Shape, value: str) -> str:
    if shape.any_case:
        return _recased(dice, value)
    if shape.form is None or dice.random() < 0.5:
        return value
    if value in _REGIONS:
        return _REGIONS[value]
    if ":" in value:
        return (ipaddress.ip_network(value) if "/" in value else ipaddress.ip_address(value)).exploded.upper()
    return next((other for other in (value.upper(), f"{value}\n") if shape.form(other) == shape.form(value)), value)


def _recased(dice: Random, text: str) -> str:
    return dice.choice([text, text.lower(), text.upper(), text.title()])
