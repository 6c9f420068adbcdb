"""What a field's `Wire` marker says is true: the path exists on the wire, and every plain field arrives there."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from vpngw_iac.blueprints.base import kinds
from vpngw_iac.blueprints.compiling.plain import merged, plain, wires
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.site import IpsecPolicy, Link, Nat
from vpngw_iac.resources import registry, type_of
from vpngw_iac.resources.base import Ref

assert kinds()  # every noun is loaded
MARKED = [(noun, field, mark) for noun, model in sorted(Part.models.items()) for field, mark in wires(model)]
TYPES = {
    "Gateway": "virtualNetworkGateways",
    "Connection": "connections",
    "Peering": "virtualNetworks/virtualNetworkPeerings",
}
BY_KIND = {model.kind: model for model in registry().values()} | {
    f"{prefix}{word}": type_of(f"Microsoft.Network/{name}")
    for word, name in TYPES.items()
    for prefix in ("Vpn", "Vnet", "ExpressRoute", "")
}


@pytest.mark.parametrize(("noun", "field", "mark"), MARKED, ids=[f"{noun}.{field}" for noun, field, _ in MARKED])
def test_the_path_of_a_field_exists_in_the_resource(noun: str, field: str, mark: object) -> None:
    kind, _, within = Part.models[noun].stands.partition(": ")
    path = mark.path if mark.of else ".".join(filter(None, (within, mark.path)))  # type: ignore[attr-defined]
    model = BY_KIND[mark.of or kind]  # type: ignore[attr-defined]
    assert model is not None

    inside: type[BaseModel] | None = model
    for step in filter(None, path.split(".")):
        assert inside is not None, f"{noun}.{field}: nothing stands below {path}"
        fields = {info.alias or name: info for name, info in inside.model_fields.items()}
        name = step.partition("[")[0]
        if name == "id" and not fields:
            break
        assert name in fields, f"{noun}.{field}: {path}, {inside.__name__} has no {name}"
        inside = next(models_in(fields[name].annotation), None)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models, and references, that a type may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif annotation is Ref or typing.get_origin(annotation) is Ref:
        yield BaseModel
    else:
        for part in typing.get_args(annotation):
            yield from models_in(part)


def test_a_noun_inside_a_noun_is_written_at_the_path_of_its_field() -> None:
    link = Link.model_construct(name="isp", ipsec=IpsecPolicy.strong(), mode="initiator-only")

    properties = plain(link)["properties"]

    assert properties["ipsecPolicies"][0]["ikeEncryption"] == "GCMAES256"
    assert properties["connectionMode"] == "InitiatorOnly"


def test_two_fields_of_one_list_item_are_one_item() -> None:
    rule = Nat.ingress("plant", "10.0.0.0/24", "100.64.0.0/24", internal_ports="100-200")

    assert plain(rule)["properties"]["internalMappings"] == ({"addressSpace": "10.0.0.0/24", "portRange": "100-200"},)


def test_joined_documents_keep_what_each_says_and_the_last_wins() -> None:
    assert merged({"a": {"b": 1, "c": 1}}, {"a": {"c": 2}}, {"d": ()}) == {"a": {"b": 1, "c": 2}, "d": ()}
