"""The SDK's own types contradict us: every name we declare must exist there, be writable, and be of its enum.

`azure.mgmt.network.types` are TypedDicts in wire casing; `azure.mgmt.network.models` know who may write a property.
Nothing here lists Azure's properties by hand, except those that we leave to others on purpose.
"""

from __future__ import annotations

import re
import sys
import types as python_types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.mgmt.network.models as sdk_models
import azure.mgmt.network.types as sdk_types
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vpngw_iac import field as markers
from vpngw_iac import resources
from vpngw_iac.resources import registry, type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Ref, WireModel

SDK_NAMES = {
    "Connection": "VirtualNetworkGatewayConnection",
    "NatRule": "VirtualNetworkGatewayNatRule",
    "PublicIp": "PublicIPAddress",
}
"""Where our class is called differently from the SDK's."""

LEFT_OUT: dict[str, dict[str, str]] = {
    "RoutingConfiguration": {"vnetRoutes": "static routes of a virtual hub's connection, a Virtual WAN resource"},
    "RoutePropertiesFormat": {"nextHop": "several next hops for one prefix, a preview; carried through as read"},
    "SubnetPropertiesFormat": {"applicationGatewayIPConfigurations": "an application gateway writes it, not people"},
}
"""Properties that the SDK could write and that no model of ours has, with the reason."""

SECRET_NAME = re.compile(r"(secret|sharedKey|authorizationKey|activationKey|psk|password)$", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """One model of ours next to the SDK's type that it must agree with."""

    path: str
    model: type[BaseModel]
    sdk: str
    shape: Shape


def network_types() -> list[type[Resource]]:
    return [model for model in registry().values() if model.arm_type.startswith("Microsoft.Network/")]


def sdk_name(annotation: Any) -> str:
    """Name of the SDK type in an annotation such as ``list['Subnet']`` or ``Union[str, ForwardRef('VpnType')]``."""
    names = re.findall(r"'([A-Za-z0-9]+)'", str(annotation))
    return names[0] if names else ""


def _is_reference(annotation: Any) -> bool:
    return typing.get_origin(annotation) is Ref or annotation is Ref


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if _is_reference(annotation):
        return
    for part in typing.get_args(annotation):
        yield from models_in(part)
    if isinstance(annotation, type) and issubclass(annotation, WireModel):
        yield annotation


def literals_in(annotation: Any) -> Iterator[str]:
    if typing.get_origin(annotation) is typing.Literal:
        yield from typing.get_args(annotation)
        return
    for part in typing.get_args(annotation):
        yield from literals_in(part)


def inner(shape: Shape) -> Shape:
    while shape.item is not None:
        shape = shape.item
    return shape


def places(model: type[BaseModel], sdk: str, path: str, shape: Shape) -> Iterator[Place]:
    """A model and all models inside it, each with the SDK's type."""
    yield Place(path, model, sdk, shape)
    known = annotations_of(sdk)
    for name, info in declared(model):
        for child in models_in(info.annotation):
            target = sdk_name(known.get(name, ""))
            if target and hasattr(sdk_types, target):
                yield from places(child, target, f"{path}.{name}", inner(shape.at(name)))


def declared(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    only_tagged = isinstance(model, type) and issubclass(model, Resource) and not model.taggable
    for name, info in model.model_fields.items():
        if info.exclude or (only_tagged and name in ("location", "tags")):
            continue
        yield info.alias or name, info


def annotations_of(sdk: str) -> dict[str, Any]:
    return dict(getattr(sdk_types, sdk).__annotations__)


def required_by(sdk: str) -> set[str]:
    return {name for name, annotation in annotations_of(sdk).items() if "Required[" in str(annotation)}


def writable_in(sdk: str) -> dict[str, bool]:
    """Whether the SDK says that a client may write a property."""
    model = getattr(sdk_models, sdk)
    model()  # the SDK fills its table of fields on first use
    return {
        field._rest_name: not field._visibility or field._visibility != ["read"]
        for field in model._attr_to_rest_field.values()
    }


ALL_PLACES = [
    place
    for model in network_types()
    for place in places(model, SDK_NAMES.get(model.__name__, model.__name__), model.kind, shape_of(model))
]
per_place = pytest.mark.parametrize("place", ALL_PLACES, ids=lambda place: place.path)


def test_every_type_and_every_object_inside_it_is_held_against_the_sdk() -> None:
    reached = {place.model for place in ALL_PLACES}

    assert {model.__name__ for model in network_types()} <= {model.__name__ for model in reached}
    assert len(ALL_PLACES) > 60
    assert {"RadiusServer", "InstanceBgp", "IpsecPolicy", "PolicyGroupProperties", "MicrosoftPeering"} <= {
        model.__name__ for model in reached
    }


@per_place
def test_declared_names_exist_in_the_sdk(place: Place) -> None:
    known = annotations_of(place.sdk)

    unknown = {name for name, _ in declared(place.model) if name not in known and not place.shape.at(name).read_only}

    assert unknown == set()


@per_place
def test_what_we_send_may_be_written_and_what_is_read_only_says_why(place: Place) -> None:
    writable = writable_in(place.sdk)

    for name, info in declared(place.model):
        ours = place.shape.at(name)
        if not ours.read_only and not ours.children:
            assert writable.get(name), f"{place.path}.{name} is read-only in the SDK"
        elif ours.read_only and writable.get(name, True):
            evidence = [m.evidence for m in info.metadata if isinstance(m, markers.ReadOnly)]
            assert any(evidence), f"{place.path}.{name}: the SDK calls it writable or does not know it; say why not"


@per_place
def test_required_properties_are_required(place: Place) -> None:
    optional = {name for name, info in declared(place.model) if not info.is_required() and info.default_factory is None}
    names = {name for name, _ in declared(place.model)}

    missing = {name for name in required_by(place.sdk) if name in optional or name not in names}

    assert missing == set()


@per_place
def test_every_writable_property_is_declared_or_left_to_others_on_purpose(place: Place) -> None:
    if set(place.model.model_fields) == {"id"}:
        return  # only a reference to something that is not ours

    envelope = {"id", "name", "etag", "type"} if issubclass(place.model, Resource) else {"id", "etag", "type"}
    ours = {name for name, _ in declared(place.model)} | envelope | set(LEFT_OUT.get(place.sdk, ()))

    missing = {name for name, may in writable_in(place.sdk).items() if may and name not in ours}

    assert missing == set()


@per_place
def test_what_looks_like_a_secret_is_marked_as_one(place: Place) -> None:
    open_secrets = {
        name for name, _ in declared(place.model) if SECRET_NAME.search(name) and not place.shape.at(name).write_only
    }

    assert open_secrets == set()


@per_place
def test_enum_values_are_the_sdks_own(place: Place) -> None:
    known = annotations_of(place.sdk)

    for name, info in declared(place.model):
        wanted = set(literals_in(info.annotation))
        enum = getattr(sdk_models, sdk_name(known.get(name, "")), None)
        if wanted and enum is not None and isinstance(enum, type):
            values = {member.value for member in enum}
            assert wanted <= values, f"{place.path}.{name}: {wanted - values} is no {enum.__name__}"


@per_place
def test_references_stand_where_the_sdk_has_an_id(place: Place) -> None:
    known = annotations_of(place.sdk)

    for name, info in declared(place.model):
        if any(_is_reference(part) for part in _parts(info.annotation)):
            target = sdk_name(known[name])
            assert "id" in annotations_of(target), f"{place.path}.{name} is a {target}, which has no id"


def test_names_that_are_left_out_are_really_there_and_say_why() -> None:
    for sdk, names in LEFT_OUT.items():
        assert set(names) <= set(annotations_of(sdk)), sdk
        assert all(names.values()), sdk


@per_place
def test_each_property_of_the_sdk_is_managed_read_only_or_left_out_with_a_reason(place: Place) -> None:
    if set(place.model.model_fields) == {"id"}:
        return  # only a reference to something that is not ours
    envelope = {"id", "name", "etag", "type"}
    read_only = {name for name, may in writable_in(place.sdk).items() if not may}
    ours = {name for name, _ in declared(place.model)}
    managed = {name for name in ours if not place.shape.at(name).read_only}
    left_out = set(LEFT_OUT.get(place.sdk, ()))

    every = set(annotations_of(place.sdk))
    assert every - managed - (read_only | (ours - managed)) - left_out - envelope == set()
    assert left_out & ours == set(), "it is managed, or read-only: no reason is needed"


def test_every_type_names_an_operation_group_of_the_sdk() -> None:
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.resource.resources import ResourceManagementClient

    clients = {"network": NetworkManagementClient, "resource": ResourceManagementClient}
    for model in registry().values():
        client, group = model.sdk.split(".")
        source = _source(clients[client])
        assert f"self.{group} = " in source or f"def {group}" in source, model.sdk


def test_a_new_file_in_the_folder_is_a_new_type(tmp_path: Path) -> None:
    """With nothing else edited: the folder, for once two folders, is read again."""
    (tmp_path / "imagined_thing.py").write_text(
        "from typing import ClassVar\n"
        "from vpngw_iac.resources.base import Resource\n"
        "class Thing(Resource):\n"
        "    arm_type: ClassVar[str] = 'Acme.Test/things'\n"
        "    kind: ClassVar[str] = 'Thing'\n"
        "    sdk: ClassVar[str] = 'resource.resources'\n"
    )
    before = dict(registry())
    resources.__path__.append(str(tmp_path))
    registry.cache_clear()
    try:
        found = dict(registry())
        made = type_of("acme.test/THINGS")
    finally:
        resources.__path__.remove(str(tmp_path))
        sys.modules.pop("vpngw_iac.resources.imagined_thing", None)
        registry.cache_clear()

    assert made is not None
    assert made.kind == "Thing"
    assert set(found) - set(before) == {"acme.test/things"}
    assert registry() == before


def test_each_file_of_the_folder_that_declares_a_type_is_in_the_registry() -> None:
    folder = Path(resources.__path__[0])
    declaring = {file.stem for file in folder.glob("*.py") if "arm_type: ClassVar[str] =" in file.read_text()}

    assert {model.__module__.rpartition(".")[2] for model in registry().values()} == declaring
    assert len({model.kind for model in registry().values()}) == len(registry()) >= 16


def test_shapes_of_the_whole_folder_know_each_declared_place() -> None:
    for place in ALL_PLACES:
        for name, _ in declared(place.model):
            assert name in place.shape.fields, f"{place.path}.{name}"
            assert place.shape.only_id or place.shape.at("surely not there") is UNKNOWN


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    if typing.get_origin(annotation) in (typing.Union, python_types.UnionType, tuple, typing.Annotated):
        for part in typing.get_args(annotation):
            yield from _parts(part)


def _source(client: type) -> str:
    import inspect

    return inspect.getsource(inspect.getmodule(client) or client)
