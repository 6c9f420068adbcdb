"""What we remember of a deployment: one entry per managed resource, and the invariants that hold between them.

A state is shown to anybody: it holds references to secrets and fingerprints, never a value.
"""

import functools
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vpngw_iac.arm import ArmId
from vpngw_iac.field import CachedModel

FORMAT = 2
"""The format that this version writes, of state documents and of journal records alike.

Every earlier one is read. A field or a kind of record once stored is read for ever: a dead field is dropped in a
validator, a renamed one has an alias. A later format is refused, see `vpngw_iac.state.document.refuse_newer`.
"""


def _as_current_format(found: int) -> int:
    if not 1 <= found <= FORMAT:
        raise ValueError(f"expected a format from 1 to {FORMAT}")
    return FORMAT


Format = Annotated[int, Field(strict=True), AfterValidator(_as_current_format)]
"""What was read in any format is held, and written again, in ours."""


class _Stored(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class Binding(_Stored):
    """What a state belongs to; anything else at run time is refused before anything is read."""

    cloud: str
    endpoint: str
    tenant: str


class Entry(_Stored):
    """One resource that we manage."""

    address: str
    id: ArmId
    needs: tuple[ArmId, ...] = ()
    """Ids of the entries it depends on, its parent and resource group included."""
    applied: dict[str, Any] = Field(default_factory=dict)
    """The declared body as last applied: secrets as ``{"$secret": reference}``, outputs resolved."""
    fingerprints: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Fingerprint of each secret by its path in the body."""
    unread: tuple[str, ...] = ()
    """Declared paths that Azure's answers do not carry, as seen right after the PUT."""
    overruled: dict[str, Any] = Field(default_factory=dict)
    """Declared paths that Azure (a policy) changed again right after our PUT, with what it wrote."""
    adopted: dict[str, Any] = Field(default_factory=dict)
    """What Azure had at declared paths that differed when this was adopted; a path is dropped once it was put."""
    broken: str = ""
    """What was wrong with it in Azure when it was imported: not repaired before somebody asks for it, or edits it."""
    protect: bool = False
    on_removal: Literal["delete", "forget"] = "delete"
    created: bool = True
    """We created it, as opposed to adopted; a resource group that we did not create is never deleted."""
    affected: tuple[str, ...] = Field(default=(), alias="transient")
    """Sites, networks and peers that lose connectivity with it; stored under its first name."""
    tenant: str | None = None
    rotation: str = ""
    """What stood beside its secrets when they were set last."""
    named: dict[str, str] = Field(default_factory=dict)
    """Names in Azure of items that the blueprint calls otherwise, by path: another tool had named them."""

    @model_validator(mode="before")
    @classmethod
    def _without_what_died(cls, data: Any) -> Any:
        """Format 1 had a field ``detached`` that nothing ever filled."""
        if isinstance(data, Mapping) and "detached" in data:
            return {name: value for name, value in data.items() if name != "detached"}
        return data


class State(CachedModel, _Stored):
    """All entries of one deployment, by address."""

    format: Format = FORMAT
    kind: Literal["state"] = "state"
    deployment: str
    lineage: str
    serial: int = 0
    binding: Binding
    entries: dict[str, Entry] = Field(default_factory=dict)
    forgotten: tuple[ArmId, ...] = ()
    """What was forgotten on purpose and bears our tag still, because nobody could take that off."""
    written_by: str = ""
    """Version of vpngw."""

    @classmethod
    def new(cls, deployment: str, binding: Binding) -> "State":
        """An empty state with a lineage of its own."""
        return cls(deployment=deployment, lineage=str(uuid.uuid4()), binding=binding)

    def check(self, previous: "State | None" = None) -> tuple[str, ...]:
        """Every broken invariant, in words; see `vpngw_iac.state.check`."""
        from vpngw_iac.state.check import check

        return check(self, previous)

    def by_id(self) -> dict[ArmId, Entry]:
        """Entries by ARM id."""
        return self._by_id

    @functools.cached_property
    def _by_id(self) -> dict[ArmId, Entry]:
        return {entry.id: entry for entry in self.entries.values()}
