"""One call to Azure, decided and ordered, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.ports import Verb
from vpngw_iac.resources.base import Lock

Step = Literal["put", "delete", "act", "tag", "detach", "attach", "sync", "release"]
"""What this operation is for.

``detach`` and ``attach`` are puts of a holder without and with its reference; ``sync`` is the put with which a peering
takes over what the other network has become; ``release`` is the put that switches off what is forgotten afterwards.
"""


class Key(NamedTuple):
    """Operations are known by address and step."""

    address: str
    step: Step

    def __str__(self) -> str:
        return self.address if self.step == "put" else f"{self.address} ({self.step})"


@dataclass(frozen=True, slots=True)
class Operation:
    """A decided call: what, in which order, under which locks, how long it usually takes."""

    key: Key
    id: ArmId
    verb: Verb
    kind: Literal["create", "update", "delete", "act", "tag"]
    sdk: str
    """The call a person would write: ``network.virtual_network_gateways.begin_create_or_update``."""
    after: frozenset[Key] = frozenset()
    locks: tuple[Lock, ...] = ()
    seconds: float = 0.0
    detach: tuple[str, ...] = ()
    """Paths of the references that this put takes off (``detach``)."""

    @property
    def address(self) -> str:
        """Address of the resource."""
        return self.key.address


@dataclass(frozen=True, slots=True)
class Schedule:
    """Operations in a legal order, with their waves and the critical path."""

    operations: tuple[Operation, ...] = ()
    waves: dict[Key, int] = field(default_factory=dict)
    """Earliest parallel step of each operation, from 1."""
    remaining: dict[Key, float] = field(default_factory=dict)
    """Seconds of the longest path that starts with the operation, itself included."""
    critical_path: tuple[Key, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of the critical path."""
        return max(self.remaining.values(), default=0.0)
