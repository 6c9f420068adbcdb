"""What every kind of blueprint can do: yield its resources, and say what contradicts itself."""

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field

from vpngw_iac.arm import Scope
from vpngw_iac.blueprints.contribution import Contribution
from vpngw_iac.blueprints.naming import Naming
from vpngw_iac.blueprints.part import Name, Part, Tags, Waive
from vpngw_iac.errors import BlueprintError, Finding
from vpngw_iac.field import CachedModel
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import join
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing

if TYPE_CHECKING:
    from vpngw_iac.blueprints.compiling.deployment import Compiled

ANYWHERE = Scope("00000000-0000-0000-0000-000000000000", resource_group="rg-unspecified")
"""A scope for questions that need none."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """One accepted rule: of the part at `path`, or (without a path) of the whole blueprint."""

    rule: str
    reason: str
    path: str = ""


class Blueprint(CachedModel, Part):
    """What people want, as one value with a name: the deployment."""

    kind: ClassVar[str]
    """How YAML and JSON name this kind: ``kind: SiteToSite``."""

    name: Name
    """Name of the deployment; its state is kept under it."""
    tags: Tags = Field(default_factory=dict)
    """Tags of everything that is made; a part's own tags win."""
    naming: Naming = Naming()
    """Patterns of the names that are not given."""
    waive: Waive = Field(default_factory=dict)
    moved: dict[str, str] = Field(default_factory=dict)
    """What was renamed, old to new: a bare name of a site, peer or gateway stands for every address that holds it, with
    its links; a text with a slash is an address or the start of one."""
    formerly: Name | None = None
    """The name this blueprint had before; its state is taken over."""

    @classmethod
    def __pydantic_init_subclass__(cls, **settings: Any) -> None:
        cls.kind = cls.__name__

    def contributions(self) -> Iterable[Contribution]:
        """What this blueprint says, unmerged."""
        raise NotImplementedError

    def resources(self, scope: Scope) -> tuple[Resource | Existing, ...]:
        """Every resource, sorted by address. Pure. Raises `BlueprintError` with findings if it contradicts itself."""
        compiled = self.compiled(scope)
        if errors := compiled.findings:
            raise BlueprintError(
                f"The blueprint {self.name!r} contradicts itself in {len(errors)} place(s).", findings=errors
            )
        return compiled.items

    def findings(self, scope: Scope | None = None) -> tuple[Finding, ...]:
        """What contradicts itself: equal names, two values for one thing, names that nothing bears."""
        return self.compiled(scope or ANYWHERE).findings

    def compiled(self, scope: Scope) -> "Compiled":
        """Resources and findings together."""
        from vpngw_iac.blueprints.compiling.context import CompileContext
        from vpngw_iac.blueprints.compiling.deployment import Compiled, compile_contributions

        compiled = compile_contributions(tuple(self.contributions()), CompileContext(scope, self.naming))
        own = tuple(sorted({*compiled.findings, *self.contradictions()}))
        return Compiled(compiled.items, own)

    def contradictions(self) -> Iterable[Finding]:
        """Findings that only this kind knows; each refuses the blueprint."""
        return ()

    def path_of(self, address: str) -> str:
        """Path of the part that a resource comes from (``sites[1]``), or an empty text."""
        from vpngw_iac.blueprints.compiling.source_mapping import path_of

        return path_of(self._places, address)

    @functools.cached_property
    def _places(self) -> Mapping[str, str]:
        """Where each resource comes from, known once for all findings."""
        from vpngw_iac.blueprints.compiling.source_mapping import paths_by_start

        return paths_by_start(tuple(self.contributions()))

    def waivers(self) -> tuple[Waiver, ...]:
        """Every accepted rule, of the blueprint and of its parts."""
        return tuple(Waiver(rule, reason, path) for rule, reason, path in _accepted(self, ""))


def _accepted(value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Rule, reason and path of every `waive` in a value."""
    if isinstance(value, BaseModel):
        accepted: Mapping[str, str] = getattr(value, "waive", {})
        yield from ((rule, reason, path) for rule, reason in sorted(accepted.items()))
        for name in type(value).model_fields:
            yield from _accepted(getattr(value, name), join(path, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _accepted(item, f"{path}[{index}]")


@functools.cache
def kinds() -> dict[str, type[Blueprint]]:
    """Every kind by its name. A new module in this folder is a new kind; nothing else is edited."""
    package = importlib.import_module("vpngw_iac.blueprints")
    found: dict[str, type[Blueprint]] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = importlib.import_module(f"vpngw_iac.blueprints.{info.name}") if not info.ispkg else None
        for candidate in vars(module).values() if module else ():
            if isinstance(candidate, type) and issubclass(candidate, Blueprint) and candidate is not Blueprint:
                found[candidate.__name__] = candidate
    return found


def kind_named(word: str) -> type[Blueprint] | None:
    """The kind of this name, in any casing."""
    return next((kind for name, kind in kinds().items() if name.lower() == word.lower()), None)


def contradiction(rule: str, address: str, summary: str, detail: str, advice: str, location: str) -> Finding:
    """A finding of level error about the blueprint itself."""
    return Finding(
        rule=rule, level="error", address=address, summary=summary, detail=detail, advice=advice, location=location
    )
