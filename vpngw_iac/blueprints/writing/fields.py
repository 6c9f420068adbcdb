"""What a noun says beyond its defaults, and how a value is written short: the same for Python and YAML."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, Final

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.network import Subnet
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.site import IpsecPolicy
from vpngw_iac.secret import EnvironmentSecret, FileSecret, GeneratedSecret, KeyVaultSecret, SecretReference


def _is_sided(annotation: Any) -> bool:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return Ellipsis not in arguments and all(NoneType in typing.get_args(each) for each in arguments)
    return any(_is_sided(argument) for argument in arguments)


SECRETS: Final = (EnvironmentSecret, FileSecret, KeyVaultSecret, GeneratedSecret)

PRESETS: Final[Mapping[str, IpsecPolicy]] = {
    name: getattr(IpsecPolicy, name)() for name in ("strong", "compatible", "cnsa")
}

_SIDED = frozenset(
    name for noun in (Pair, Spoke) for name in noun.model_fields if _is_sided(noun.model_fields[name].annotation)
)
"""Fields with a value for each of two sides."""

_ONE_TEXT = ("gateway_subnet", "prefix")
"""Fields in which one prefix is written as a text."""


def fields_of(part: Part) -> Iterator[tuple[str, Any]]:
    """Name and value of each field that says something else than its default: the name, the noun's own, inherited."""
    for name, info in sorted(type(part).model_fields.items(), key=lambda field: _rank(type(part), field[0])):
        value = getattr(part, name)
        default = info.get_default(call_default_factory=True) if not info.is_required() else None
        if info.is_required() or (value != default and value is not None):
            yield name, short(name, value)


def _rank(noun: type[Part], field: str) -> int:
    return 0 if field in ("name", "existing") else 1 if field in noun.__annotations__ else 2


def short(name: str, value: Any) -> Any:
    """The value in its short form, where the field takes one."""
    if name in _SIDED and isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]:
        return short(name, value[0])
    if name in _ONE_TEXT and isinstance(value, tuple) and len(value) == 1:
        return value[0]
    if name == "subnets" and value and all(_is_plain(subnet) for subnet in value):
        return {subnet.name: short("prefix", subnet.prefixes) for subnet in value}
    if name == "scale_units" and isinstance(value, tuple) and value[0] == value[1]:
        return value[0]
    if name == "lock" and isinstance(value, Part) and set(said_names(value)) == {"level"}:
        return value.level  # type: ignore[attr-defined]
    return value


def said_names(part: Part) -> tuple[str, ...]:
    """Names of the fields that say something."""
    return tuple(name for name, _ in fields_of(part))


def _is_plain(subnet: Subnet) -> bool:
    return set(said_names(subnet)) == {"name", "prefixes"} and len(subnet.prefixes) == 1


def is_existing(part: Part) -> bool:
    """Whether a noun stands for something that is only used."""
    return isinstance(getattr(part, "existing", None), ArmId)


def preset_of(part: Part) -> str | None:
    """The name of the preset that a policy equals."""
    return next((name for name, value in PRESETS.items() if value == part), None)


def is_pair(annotation: Any) -> bool:
    """Whether a field takes a tuple of a fixed length, not a list."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is tuple:
        return Ellipsis not in arguments
    return any(is_pair(argument) for argument in arguments)


def secret_arguments(secret: SecretReference) -> tuple[str, tuple[str, ...]]:
    """How a reference is made: the name of its form, and what that takes."""
    if isinstance(secret, EnvironmentSecret):
        return "env", (secret.name,)
    if isinstance(secret, FileSecret):
        return "file", (secret.path,)
    form = "key_vault" if isinstance(secret, KeyVaultSecret) else "generated"
    version = getattr(secret, "version", None)
    return form, (secret.vault, secret.name, *([version] if version else []))
