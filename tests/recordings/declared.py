"""From a recorded request body to a declared resource of ours, and from a recorded answer to what the engine compares.

Only what Azure documents as its own is taken off: read-only properties, the bookkeeping of list elements, children
(which become resources of their own). The answer goes the way of the real cloud: redaction, shapes, comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from vpngw_iac.arm import ArmId
from vpngw_iac.azure.redact import without_secrets
from vpngw_iac.engine.compare.difference import compare_whole
from vpngw_iac.engine.compare.document import ABSENT, outer_paths
from vpngw_iac.engine.compare.overlay import overlay
from vpngw_iac.engine.compare.secret_masking import applied_of, entry_of, mask_secrets
from vpngw_iac.resources import shape_at, type_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import EnvironmentSecret, Fingerprint, FingerprintKey, SecretReference

_HANG_ON_RESOURCES = {"microsoft.maintenance/configurationassignments", "microsoft.insights/diagnosticsettings"}
_RETIRED = {"privateAccessServices", "localNetworkSiteAddressSpace"}
"""Names of 2015 and 2017 that became ``serviceEndpoints`` and ``localNetworkAddressSpace`` within the year."""
KEY = FingerprintKey(b"recordings" * 4)


class Unsayable(Exception):
    """A body that none of our models can hold."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One resource as somebody wrote it, in our terms."""

    resource: Resource
    raw: Mapping[str, Any]
    """What was really sent."""
    fingerprints: Mapping[SecretReference, Fingerprint | None]
    unsaid: tuple[str, ...] = ()
    """Settings that were sent and that our model has no way to say."""
    resolve: Callable[[Output], Any] = field(default=lambda _: ABSENT, repr=False)
    """What outputs are by now."""

    def differences(self, observed: Mapping[str, Any], *, by_list: bool) -> list[str]:
        """Paths that the engine would call different, as plan and drift see this answer."""
        unread = outer_paths(shape_of(type(self.resource)), lambda place: place.not_in_list) if by_list else ()
        return self._compared(_redacted(self.resource.id, observed), tuple(unread))

    def left_after_update(self, observed: Mapping[str, Any]) -> list[str]:
        """Paths that would still differ if Azure took the body of our update word by word."""
        document = _redacted(self.resource.id, observed)
        masked, applied = self._masked(), self._applied()
        return self._compared(overlay(shape_of(type(self.resource)), masked, applied, document), ())

    def _compared(self, document: Mapping[str, Any], unread: tuple[str, ...]) -> list[str]:
        model = type(self.resource)
        comparison = compare_whole(model, self._masked(), self._applied(), document, unread=unread)
        return [found.difference.path for found in comparison.found]

    def _masked(self) -> dict[str, Any]:
        return mask_secrets(self.resource.body(), self.fingerprints, self.resolve)

    def _applied(self) -> dict[str, Any]:
        return applied_of(entry_of(self.resource, (), self.fingerprints, self.resolve, None))


def _redacted(arm_id: ArmId, observed: Mapping[str, Any]) -> dict[str, Any]:
    """The answer as it leaves the cloud: fingerprints in place of secrets."""
    return without_secrets(dict(observed), shape_at(arm_id.type), KEY.fingerprint)


def parts(arm_id: ArmId, body: Mapping[str, Any]) -> Iterator[tuple[ArmId, dict[str, Any]]]:
    """A written or read document as the resources that it is: itself, then the children shown inside it."""
    own, below = dict(body), []
    model = type_of(arm_id.type)
    if model is not None and isinstance(body.get("properties"), Mapping):
        inside = shape_of(model).at("properties")
        own["properties"] = {
            name: value for name, value in body["properties"].items() if not inside.at(name).children or value is None
        }
        for name, value in body["properties"].items():
            kind = inside.at(name).children
            if kind and isinstance(value, list):
                below += [(arm_id.child(kind.rpartition("/")[2], str(item["name"])), dict(item)) for item in value]
    yield arm_id, own
    yield from below


def children_told(arm_id: ArmId, body: Mapping[str, Any]) -> Collection[str]:
    """Lower-case ARM types of the children whose list is in the body, be it empty."""
    model = type_of(arm_id.type)
    properties = body.get("properties")
    if model is None or not isinstance(properties, Mapping):
        return ()
    inside = shape_of(model).at("properties")
    return {kind.lower() for name in properties if (kind := inside.at(name).children) and properties[name] is not None}


def declare(arm_id: ArmId, raw: Mapping[str, Any]) -> Declared:
    """The declared resource behind a request body; raises `Unsayable` where nothing of it can be said."""
    model = type_of(arm_id.type)
    if model is None:
        raise Unsayable(f"{arm_id.type} is not a type of ours")
    if (why := _foreign(arm_id, raw)) is not None:
        raise Unsayable(why)
    fingerprints: dict[SecretReference, Fingerprint | None] = {}
    body = _cleaned(shape_of(model), dict(raw), fingerprints)
    envelope = {"address": f"{model.kind}/{arm_id.name}", "id": arm_id}
    unsaid: list[str] = []
    while True:
        try:
            resource = model.model_validate({**body, **envelope})
        except ValidationError as error:
            unsaid += [_cut(body, problem["loc"], problem["type"]) for problem in error.errors()[:1]]
        else:
            told = tuple(text for text in unsaid if text.partition(":")[0].rpartition(".")[2] not in _RETIRED)
            return Declared(resource, raw, fingerprints, told)


def _foreign(arm_id: ArmId, raw: Mapping[str, Any]) -> str | None:
    """Why a body of one of our types is for something that has nothing to do with networks."""
    inside = raw.get("properties")
    scope = inside.get("maintenanceScope", "Resource") if isinstance(inside, Mapping) else "Resource"
    if scope not in ("Resource", "Host"):
        return f"maintenance of scope {scope} is not for gateways"
    if arm_id.type.lower() in _HANG_ON_RESOURCES and (arm_id.parent is None or not arm_id.parent.names):
        return f"{arm_id.type} of a whole subscription or group is not ours"
    return None


def _cleaned(
    shape: Shape, value: Any, fingerprints: dict[SecretReference, Fingerprint | None], item: bool = False
) -> Any:
    if shape.write_only and isinstance(value, str):
        known = KEY.fingerprint(value)
        reference = EnvironmentSecret(name=f"SECRET_{known.digest[:16].upper()}")
        fingerprints[reference] = known
        return reference
    if isinstance(value, Mapping):
        kept = {}
        for name, inner in value.items():
            place = shape.at(name)
            azures = place.read_only or place.children or (item and name == "id" and name not in shape.fields)
            if inner is not None and not azures:
                kept[name] = _cleaned(place, inner, fingerprints)
        return kept
    if isinstance(value, list):
        return [_cleaned(shape.item or UNKNOWN, element, fingerprints, item=True) for element in value]
    return value


def _cut(body: Any, place: tuple[int | str, ...], problem: str) -> str:
    """Take off what the model refuses; the object around it where it misses something."""
    steps: list[tuple[Any, int | str]] = []
    value = body
    for step in place:
        if (isinstance(value, Mapping) and step in value) or (isinstance(value, list) and isinstance(step, int)):
            steps.append((value, step))
            value = value[step]
    if not steps or (len(steps) == 1 and steps[0][1] == "properties"):
        raise Unsayable(f"{'.'.join(map(str, place))}: {problem}")
    container, last = steps[-1]
    del container[last]
    return f"{'.'.join(map(str, place))}: {problem}"
