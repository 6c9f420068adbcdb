"""What reading has found so far: nouns by the id they stand for, and what became of each resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import Literal, TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.circuit import Circuit, ExistingCircuit
from vpngw_iac.blueprints.contribution import GatewayLike, Network
from vpngw_iac.blueprints.network import RouteTable
from vpngw_iac.blueprints.reading.documents import Documents, Seen
from vpngw_iac.blueprints.reading.plain import Unsaid
from vpngw_iac.blueprints.site import LocalGateway
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import Secret, SecretReference

T = TypeVar("T")
Fate = Literal["managed", "used", "left"]

MARK = "vpngw-deployment"
_OF_AZURE = ("hidden-", "ms-resource-usage")
"""Tags that Azure's own services write."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one resource: written as managed, as existing, or left alone, with the reason."""

    id: ArmId
    fate: Fate
    why: str = ""


@dataclass(frozen=True, slots=True)
class MissingSecret:
    """A secret that the blueprint refers to and nobody fetched."""

    reference: SecretReference
    what: str
    value: Output | None = None
    """Where Azure keeps it."""


@dataclass(slots=True)
class Notes:
    """Filled while reading; each noun is made once."""

    documents: Documents
    networks: dict[ArmId, Network] = field(default_factory=dict)
    tables: dict[ArmId, RouteTable] = field(default_factory=dict)
    gateways: dict[ArmId, GatewayLike] = field(default_factory=dict)
    circuits: dict[ArmId, Circuit | ExistingCircuit] = field(default_factory=dict)
    local_gateways: dict[ArmId, LocalGateway] = field(default_factory=dict)
    accounts: dict[ArmId, Account] = field(default_factory=dict)
    secrets: dict[str, MissingSecret] = field(default_factory=dict)
    names: dict[ArmId, str] = field(default_factory=dict)
    """What sites and circuit links are called, by the id of their connection."""
    joined: dict[ArmId, frozenset[ArmId]] = field(default_factory=dict)
    """The connections that were read together, by the id of each resource that they stand for."""
    paired: set[ArmId] = field(default_factory=set)
    """IPsec connections that are halves of pairs."""
    remarks: dict[ArmId, list[str]] = field(default_factory=dict)
    """What must be said beside a resource, in whole sentences."""

    def manage(self, *ids: ArmId | None) -> None:
        """Written as managed."""
        self.accounts |= {each: Account(each, "managed") for each in ids if each is not None}

    def use(self, resource_id: ArmId, why: str) -> None:
        """Written as existing, unless it is managed by another noun."""
        self.accounts.setdefault(resource_id, Account(resource_id, "used", why))

    def leave(self, resource_id: ArmId, why: str) -> None:
        """Left alone, unless something else was made of it."""
        self.accounts.setdefault(resource_id, Account(resource_id, "left", why))

    def each(self, items: Iterable[tuple[ArmId, Seen]], noun: Callable[[ArmId, Seen], T]) -> Iterator[T]:
        """The noun of each that can be said, which is then managed; the rest is left alone, with the reason."""
        for identity, seen in items:
            try:
                found = noun(identity, seen)
            except Unsaid as error:
                self.leave(identity, str(error))
            else:
                self.manage(identity)
                yield found

    def require_ours(self, resource_id: ArmId) -> None:
        """Raise `Unsaid` for what must be left alone."""
        if why := self.documents.left.get(resource_id):
            raise Unsaid(why)

    def join(self, connections: Iterable[ArmId], others: Iterable[ArmId] = ()) -> None:
        """Remember that these were read together: if it proves wrong, they are read again one by one."""
        together = frozenset(connections)
        self.joined |= {each: together for each in (*together, *others)}

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """What is noted inside is forgotten if it turns out that it cannot be said."""
        before = dict(self.accounts), dict(self.secrets)
        try:
            yield
        except Unsaid:
            self.accounts, self.secrets = before
            raise

    def secret(self, name: str, what: str, value: Output | None = None) -> SecretReference:
        """A reference to an environment variable of this name, made unique, or to the vault that was chosen.

        It is on the list of what to fill.
        """
        variable = _variable(name)
        taken, number = variable, 1
        while taken in self.secrets:
            number += 1
            taken = f"{variable}_{number}"
        vault = self.documents.vault
        reference = Secret.key_vault(vault, taken.lower().replace("_", "-")) if vault else Secret.env(taken)
        self.secrets[taken] = MissingSecret(reference, what, value)
        return reference


def label_of(known: Iterable[ArmId], identity: ArmId) -> str | None:
    """A label for what bears the name of another one that is written too."""
    twins = [other for other in known if other != identity and other.name.lower() == identity.name.lower()]
    return f"{identity.name}-{identity.group}" if twins else None


def tags_of(document: Seen) -> dict[str, str]:
    """The tags that people gave; our mark and those of Azure's services are nobody's word."""
    tags: Mapping[str, str] = document.get("tags") or {}
    return {k: str(v) for k, v in tags.items() if k.lower() != MARK and not k.lower().startswith(_OF_AZURE)}


def common_tags(documents: Iterable[Seen]) -> dict[str, str]:
    """The tags that people gave to each of these."""
    first, *others = (tags_of(document) for document in documents)
    return {key: value for key, value in first.items() if all(tags.get(key) == value for tags in others)}


def _variable(text: str) -> str:
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in text).upper()
    return f"_{name}" if name[:1].isdigit() else name
