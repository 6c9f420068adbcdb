"""What Azure has: one file per ARM type. The folder is the registry: a new file is a new type, nothing else to edit."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from vpngw_iac.arm import ArmId
from vpngw_iac.resources.base import Resource, Role
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of


@functools.cache
def registry() -> dict[str, type[Resource]]:
    """Resource classes by lower-case ARM type."""
    found: dict[str, type[Resource]] = {}
    for module_info in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for candidate in vars(module).values():
            if isinstance(candidate, type) and issubclass(candidate, Resource) and "arm_type" in vars(candidate):
                key = candidate.arm_type.lower()
                if found.setdefault(key, candidate) is not candidate:
                    raise TypeError(f"two classes describe {candidate.arm_type}")
    return found


def type_of(arm_type: str) -> type[Resource] | None:
    """The class that describes an ARM type, or None if we do not manage it."""
    return registry().get(arm_type.lower())


def model_of(resource_id: ArmId) -> type[Resource]:
    """The class that describes a resource; `Resource` itself, which says nothing special, for a type of others."""
    return type_of(resource_id.type) or Resource


def shape_at(arm_type: str) -> Shape:
    """Shape of the documents of an ARM type; nothing is known about those of a type of others."""
    model = type_of(arm_type)
    return UNKNOWN if model is None else shape_of(model)


def role_of(resource_id: ArmId) -> Role:
    """The part that its type plays in a network; empty for a type that we do not manage."""
    return model_of(resource_id).role
