"""Resources as JSON and back, for saved plans. Secrets and outputs travel as references, never as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import PlanError
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Document, Output, Ref, Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.wire import SECRET_TYPES
from vpngw_iac.secret import SecretReference, dump_reference, load_reference

SECRET, OUTPUT = "$secret", "$output"

_IDENTITY = ("address", "id", "needs")
_STORED_AS = {"affected": "transient"}
"""Fields that plans keep under an earlier name of theirs."""


def dump_resource(resource: Resource) -> Document:
    """JSON form of a resource: type, address, id, what it needs, what is set around the body, and the body."""
    envelope = {
        _STORED_AS.get(name, name): list(value) if isinstance(value, tuple) else value
        for name, info in type(resource).model_fields.items()
        if info.exclude and name not in _IDENTITY and (value := getattr(resource, name)) != info.default
    }
    return {
        "type": resource.arm_type,
        "address": resource.address,
        "id": str(resource.id),
        "needs": [{"id": str(ref.id), "target": str(ref.target)} for ref in resource.needs],
        **envelope,
        "body": _sealed(resource.body()),
    }


def dump_existing(existing: Existing) -> Document:
    """JSON form of what is only used, with what the blueprint claims of it."""
    return {
        "address": existing.address,
        "id": str(existing.id),
        "facts": dict(existing.facts),
        "tenant": existing.tenant,
    }


def load_resource(document: Mapping[str, Any]) -> Resource:
    """Read a resource back; raises `PlanError` when this version of vpngw does not know what it says."""
    stored = {former: name for name, former in _STORED_AS.items()}
    rest = {stored.get(name, name): value for name, value in document.items()}
    arm_type, needs, body = rest.pop("type"), rest.pop("needs"), rest.pop("body")
    model = type_of(arm_type)
    if model is None:
        raise PlanError(
            f"{rest['address']}: {arm_type} is not a type that this version of vpngw manages.",
            advice="Make the plan again with this version.",
        )
    arrows: tuple[Ref[Any], ...] = tuple(Ref(ArmId(need["id"]), ArmId(need["target"])) for need in needs)
    try:
        return model.model_validate({**_opened(body), **rest, "needs": arrows})
    except ValidationError as error:
        where = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False))
        raise PlanError(
            f"{rest['address']}: this version of vpngw cannot read {where}.",
            advice="Make the plan again with this version.",
        ) from None


def _sealed(value: Any) -> Any:
    """Plain JSON: references in place of what only apply may know."""
    if isinstance(value, Output):
        return mark_of(value, secret=value.secret)
    if isinstance(value, SECRET_TYPES):
        return mark_of(value)
    if isinstance(value, Mapping):
        return {key: _sealed(item) for key, item in value.items()}
    return [_sealed(item) for item in value] if isinstance(value, list) else value


def _opened(value: Any) -> Any:
    if isinstance(value, Mapping):
        return marked(value) or {key: _opened(item) for key, item in value.items()}
    return [_opened(item) for item in value] if isinstance(value, list) else value


def mark_of(value: SecretReference | Output, **also: bool) -> Document:
    """What stands for a reference in JSON, in plans and in states."""
    if isinstance(value, Output):
        return {OUTPUT: {"source": str(value.source), "path": value.path, **also}}
    return {SECRET: dump_reference(value)}


def marked(value: Mapping[str, Any]) -> SecretReference | Output | None:
    """The reference that an object stands for; a tag or an identity that people named like that stands for none."""
    name, inner = next(iter(value.items())) if len(value) == 1 else ("", None)
    if name not in (SECRET, OUTPUT) or not isinstance(inner, Mapping) or "source" not in inner:
        return None
    if name == SECRET:
        return load_reference(inner)
    return Output(ArmId(inner["source"]), inner["path"], inner.get("secret", True))
