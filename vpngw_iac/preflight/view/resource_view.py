"""One resource as preflight sees it: its document, how sure that document is, and what was asked of it in vain.

A managed resource is judged by what is declared; an existing one by the facts its blueprint gives and, in a plan, by
what Azure answered. Nothing here trusts the type of a value: a document may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import steps_of, value_at
from vpngw_iac.preflight import prefixes
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.wire import Output
from vpngw_iac.text import listed

if TYPE_CHECKING:
    from vpngw_iac.preflight.view.topology import TopologyView


@dataclass(frozen=True, eq=False)
class ResourceView:
    """A resource or an existing thing; `declared` is what is said about it, `seen` what Azure answered, if asked."""

    address: str
    id: ArmId
    declared: Mapping[str, Any]
    is_managed: bool
    seen: Mapping[str, Any] | None = None
    affects: tuple[str, ...] = ()
    """Sites, peers and clients that hang on it, as the compiler named them."""
    tenant: str | None = None
    asked_in_vain: set[str] = field(default_factory=set)

    @property
    def type(self) -> str:
        """ARM type in lower case."""
        return self.id.type.lower()

    @property
    def name(self) -> str:
        """Its name in Azure."""
        return self.id.name

    @cached_property
    def _existing(self) -> Mapping[str, Any]:
        return _merged(self.seen or {}, self.declared)

    @property
    def document(self) -> Mapping[str, Any]:
        """What holds: the declaration of a managed resource; of an existing one what Azure has and the facts given."""
        return self.declared if self.is_managed else self._existing

    @property
    def knows_all(self) -> bool:
        """Whether a property that is missing from the document is really absent."""
        return self.is_managed or self.seen is not None

    def get(self, path: str) -> Any:
        """The value at a dotted wire path; a fact that is not known is noted, once."""
        value = value_at(self.document, path)
        if value is None and not self.knows_all:
            self.asked_in_vain.add(path)
        return value

    def knows(self, path: str) -> bool:
        """Whether something can be said about a path; if not, that is noted."""
        return self.get(path) is not None or self.knows_all

    def text(self, path: str) -> str | None:
        """A text; None if absent, unknown or decided by Azure only."""
        value = self.get(path)
        return value if isinstance(value, str) and value else None

    def number(self, path: str) -> int | None:
        """A whole number."""
        value = self.get(path)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, path: str) -> bool | None:
        """True or false; a property left out is false, an unknown one is None."""
        value = self.get(path)
        return bool(value) if value is not None else False if self.knows_all else None

    def texts(self, path: str) -> tuple[str, ...]:
        """A list of texts; anything else in it is left out."""
        return tuple(item for item in _items(self.get(path)) if isinstance(item, str))

    def items(self, path: str) -> tuple[Mapping[str, Any], ...]:
        """A list of objects; anything else in it is left out."""
        return tuple(item for item in _items(self.get(path)) if isinstance(item, Mapping))

    def block(self, path: str) -> Mapping[str, Any] | None:
        """An object, or None."""
        value = self.get(path)
        return value if isinstance(value, Mapping) else None

    def ref(self, path: str) -> ArmId | None:
        """The resource that a reference names."""
        return arm_id(self.get(path))

    def refs(self, path: str) -> tuple[ArmId, ...]:
        """The resources that a list of references names."""
        return tuple(found for item in _items(self.get(path)) if (found := arm_id(item)) is not None)

    def output(self, path: str) -> Output | None:
        """A value that only Azure decides, as declared."""
        value = value_at(self.declared, path)
        return value if isinstance(value, Output) else None


@dataclass(frozen=True, eq=False)
class View:
    """A thing in the words of a network engineer, and everything around it.

    A property that is one value of the document is one line: ``sku = text("properties.sku.name")``.
    """

    resource: ResourceView
    topology: TopologyView = field(repr=False)


def value(path: str) -> cached_property[Any]:
    """A property of a view that is whatever stands there, an output of another resource included."""
    return cached_property(lambda view: view.resource.get(path))


def text(path: str) -> cached_property[str | None]:
    """A property of a view that is a text."""
    return cached_property(lambda view: view.resource.text(path))


def is_text(path: str, wanted: str) -> cached_property[bool]:
    """A property of a view that says whether a text is the wanted one, in any casing."""
    return cached_property(lambda view: (view.resource.text(path) or "").lower() == wanted)


def number(path: str) -> cached_property[int | None]:
    """A property of a view that is a whole number."""
    return cached_property(lambda view: view.resource.number(path))


def flag(path: str) -> cached_property[bool | None]:
    """A property of a view that is true, false or unknown."""
    return cached_property(lambda view: view.resource.flag(path))


def texts(path: str) -> cached_property[tuple[str, ...]]:
    """A property of a view that is a list of texts."""
    return cached_property(lambda view: view.resource.texts(path))


def items(path: str) -> cached_property[tuple[Mapping[str, Any], ...]]:
    """A property of a view that is a list of objects."""
    return cached_property(lambda view: view.resource.items(path))


def reference(path: str) -> cached_property[ArmId | None]:
    """A property of a view that names another resource."""
    return cached_property(lambda view: view.resource.ref(path))


def networks(path: str) -> cached_property[tuple[prefixes.Network, ...]]:
    """A property of a view that is a list of prefixes; what is not a prefix is left out."""
    return cached_property(lambda view: prefixes.networks(view.resource.texts(path)))


def region(resource: ResourceView) -> str | None:
    """Location of a thing in its programmatic form."""
    said = resource.text("location")
    return None if said is None else said.replace(" ", "").lower()


def resource_of(
    item: Resource | Existing, seen: Mapping[str, Any] | None = None, *, affects: tuple[str, ...] = ()
) -> ResourceView:
    """The thing that a declared resource or an existing one is."""
    if isinstance(item, Existing):
        declared = _document_of(item.facts)
        return ResourceView(item.address, item.id, declared, is_managed=False, seen=seen, tenant=item.tenant)
    return ResourceView(
        item.address,
        item.id,
        item.body(),
        is_managed=True,
        seen=seen,
        affects=affects or item.affected,
        tenant=item.tenant,
    )


def arm_id(value: Any) -> ArmId | None:
    """The id in a reference (``{"id": ...}`` or bare text), without its part below a gateway; None if it is none."""
    text = value.get("id") if isinstance(value, Mapping) else value
    return ArmId.of(text)


def named(resources: Iterable[ResourceView]) -> str:
    """Addresses of several things."""
    return listed(sorted(resource.address for resource in resources))


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        yield from value


def _document_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts by dotted path as a nested document."""
    document: dict[str, Any] = {}
    for path, value in facts.items():
        *parents, last = steps_of(path) or [path]
        place = document
        for step in parents:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        if value is not None:
            place[last] = list(value) if isinstance(value, tuple) else value
    return document


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both documents in one; where they meet, the second is right."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged
