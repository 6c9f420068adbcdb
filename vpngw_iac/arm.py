"""ARM resource ids: build, parse and compare them.

Knows the grammar of ids and scopes. Must not know any particular resource type.
"""

from __future__ import annotations

import re
from functools import lru_cache, total_ordering
from sys import intern
from typing import TYPE_CHECKING, Any

from vpngw_iac.late_dataclass import dataclass

if TYPE_CHECKING:
    from pydantic_core import core_schema

RESOURCE_GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"

_SUBSCRIPTION = re.compile(r"^/subscriptions/(?P<subscription>[^/]+)(?P<rest>/.*)?$", re.IGNORECASE)
_GROUP = re.compile(r"^/resourceGroups/(?P<group>[^/]+)(?P<rest>/.*)?$", re.IGNORECASE)
_PROVIDERS = "/providers/"


class InvalidArmId(ValueError):
    """The text is not an ARM resource id."""


SIGNED_IN = "<signed in>"
"""Stands for the tenant that a run will turn out to be signed in to: what is compiled before gets it afterwards."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where resources live when a blueprint does not say: a subscription (GUID), perhaps its tenant and a group.

    ``Scope("11111111-1111-4111-8111-111111111111", resource_group="rg-hub")``
    """

    subscription: str
    tenant: str | None = None
    """Of this subscription; `SIGNED_IN` before it is known."""
    resource_group: str | None = None

    def group_id(self, name: str) -> ArmId:
        """Id of a resource group in this subscription."""
        return ArmId.resource_group_of(self.subscription, name)


@total_ordering
class ArmId:
    """One ARM id, for example ``/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/publicIPAddresses/P``.

    Ids compare and hash without case, because Azure answers them in another casing than it was given
    (recording ``test_network_vpn_gateway``, back references); ``str()`` keeps the casing of the text.

    ``ArmId("/subscriptions/S/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/hub").name``
    """

    __slots__ = ("_key", "_pairs", "group", "namespace", "subscription", "text")

    text: str
    subscription: str
    group: str | None
    namespace: str
    _pairs: tuple[tuple[str, str], ...]
    _key: str

    def __init__(self, text: str) -> None:
        """Parse the text; raises `InvalidArmId` with what is wrong with it."""
        clean = text.rstrip("/")
        head = _SUBSCRIPTION.match(clean)
        if head is None:
            raise InvalidArmId(f"{text!r} is not an ARM id: it must start with /subscriptions/<id>.")
        rest = head["rest"] or ""
        grouped = _GROUP.match(rest)
        group = intern(grouped["group"]) if grouped else None
        namespace, pairs = _provider_path((grouped["rest"] or "") if grouped else rest, text)
        object.__setattr__(self, "text", clean)
        object.__setattr__(self, "subscription", intern(head["subscription"]))  # thousands of ids share these words
        object.__setattr__(self, "group", group)
        object.__setattr__(self, "namespace", namespace)
        object.__setattr__(self, "_pairs", pairs)
        object.__setattr__(self, "_key", clean.lower())

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"ArmId is immutable, cannot set {name}")

    @classmethod
    def of(cls, text: Any) -> ArmId | None:
        """The id that a value is; None if it is none."""
        try:
            return text if isinstance(text, ArmId) else cls(text) if isinstance(text, str) else None
        except InvalidArmId:
            return None

    @classmethod
    def resource_group_of(cls, subscription: str, name: str) -> ArmId:
        """Id of a resource group."""
        return cls(f"/subscriptions/{subscription}/resourceGroups/{name}")

    @classmethod
    def build(cls, subscription: str, group: str, arm_type: str, *names: str) -> ArmId:
        """Id of a resource of `arm_type` (``Microsoft.Network/virtualNetworks/subnets``), one name per type segment."""
        namespace, *segments = arm_type.split("/")
        if len(segments) != len(names):
            raise InvalidArmId(f"{arm_type} takes {len(segments)} names, got {len(names)}: {', '.join(names)}")
        tail = "/".join(f"{segment}/{name}" for segment, name in zip(segments, names, strict=True))
        return cls(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{namespace}/{tail}")

    @property
    def key(self) -> str:
        """The id in lower case: what equality and dictionaries use."""
        return self._key

    @property
    def type(self) -> str:
        """ARM type such as ``Microsoft.Network/virtualNetworks/subnets``, in the casing of the text."""
        if not self._pairs:
            return RESOURCE_GROUP_TYPE if self.group else SUBSCRIPTION_TYPE
        return "/".join((self.namespace, *(segment for segment, _ in self._pairs)))

    @property
    def names(self) -> tuple[str, ...]:
        """Names along the path, parent first: ``("vnet-hub", "GatewaySubnet")``."""
        return tuple(name for _, name in self._pairs)

    @property
    def name(self) -> str:
        """The resource's own name."""
        if self._pairs:
            return self._pairs[-1][1]
        return self.group or self.subscription

    @property
    def parent(self) -> ArmId | None:
        """The container: a VNet for a subnet, else the resource group; none for a subscription.

        An extension (a lock, a diagnostic setting) hangs on the resource that its id begins with.
        """
        if len(self._pairs) > 1:
            segment, name = self._pairs[-1]
            return ArmId(self.text[: -len(f"/{segment}/{name}")])
        if self.is_extension:
            return ArmId(self.text[: self.key.rfind(_PROVIDERS)])
        if self._pairs and self.group:
            return self.resource_group
        return None

    @property
    def is_extension(self) -> bool:
        """Whether it hangs on another resource by a provider of its own: its id names two providers."""
        return self.key.count(_PROVIDERS) > 1

    @property
    def resource_group(self) -> ArmId:
        """Id of the resource group; raises `InvalidArmId` for an id without one."""
        if self.group is None:
            raise InvalidArmId(f"{self.text} is not in a resource group.")
        return ArmId.resource_group_of(self.subscription, self.group)

    def child(self, segment: str, name: str) -> ArmId:
        """Id of a child resource."""
        return ArmId(f"{self.text}/{segment}/{name}")

    def extension(self, arm_type: str, name: str) -> ArmId:
        """Id of something that another provider hangs on this (``Microsoft.Authorization/locks``)."""
        return ArmId(f"{self.text}/providers/{arm_type}/{name}")

    def contains(self, other: ArmId) -> bool:
        """Whether `other` lies below this id (or is it)."""
        return other.key == self.key or other.key.startswith(self.key + "/")

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"ArmId({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArmId) and other.key == self.key

    def __lt__(self, other: ArmId) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (ArmId, (self.text,))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        from pydantic_core import core_schema  # who only parses a command line needs no schema

        return core_schema.json_or_python_schema(
            json_schema=core_schema.no_info_after_validator_function(_read, core_schema.str_schema()),
            python_schema=core_schema.union_schema(
                [
                    core_schema.is_instance_schema(cls),
                    core_schema.no_info_after_validator_function(_read, core_schema.str_schema()),
                ]
            ),
            serialization=core_schema.to_string_ser_schema(),
        )


@lru_cache(4096)
def _read(text: str) -> ArmId:
    """The id that stands in a document: a state names each of its ids five times, and holds it once."""
    return ArmId(text)


def _provider_path(rest: str, text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Namespace and (segment, name) pairs after the last ``/providers/`` of an id."""
    if not rest:
        return "", ()
    start = rest.lower().rfind(_PROVIDERS)
    before, tail = rest[:start], rest[start + len(_PROVIDERS) :]
    if start < 0 or (before and _PROVIDERS not in before.lower() + "/"):
        raise InvalidArmId(f"{text!r} is not an ARM id: expected /providers/<namespace>/<type>/<name>.")
    namespace, *parts = tail.split("/")
    if not parts or len(parts) % 2 or not all(parts):
        raise InvalidArmId(
            f"{text!r} is not an ARM id: types and names after /providers/{namespace} must come in pairs."
        )
    return intern(namespace), tuple(zip(map(intern, parts[::2]), parts[1::2], strict=True))
