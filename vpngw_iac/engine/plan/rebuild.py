"""A lost state, made anew from what the blueprint declares and what Azure has. Pure: nothing is read or written here.

Ours is what bears the tag ``vpngw-deployment`` with our name, and what cannot bear tags but lies in something of ours.
What bears no tag is not guessed: it was adopted and never put since, so that ``--adopt`` takes it over again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac.arm import ArmId, InvalidArmId
from vpngw_iac.engine.compare.difference import Comparison, compare
from vpngw_iac.engine.compare.document import lookup, secrets_in
from vpngw_iac.engine.compare.secret_masking import Fingerprints, entry_of, mask_secrets, resolver
from vpngw_iac.engine.plan.inputs import deployment_in
from vpngw_iac.engine.ports import Observed, Snapshot
from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.secret import Fingerprint, SecretReference
from vpngw_iac.state.model import Entry, State


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The new state, and all that people should know before it is written."""

    state: State
    recovered: tuple[str, ...] = ()
    """Addresses that have an entry."""
    absent: tuple[str, ...] = ()
    """Declared, but not in Azure: the next apply creates them."""
    not_ours: Mapping[str, str] | None = None
    """Declared and in Azure, but without an entry: why, by address."""
    differing: tuple[str, ...] = ()
    """``address: path`` where Azure says something else than the blueprint: the next plan shows it as drift."""
    strays: tuple[ArmId, ...] = ()
    """Bears our tag, but nobody declares it: it has no address any more, and no entry."""
    included: tuple[str, ...] = ()
    """Addresses of strays that have an entry because they were named."""
    unseen: tuple[str, ...] = ()
    """Groups whose content may not be listed here: what bears our tag there was not found."""


def rebuild(
    empty: State, graph: Graph, snapshot: Snapshot, fingerprints: Fingerprints, *, tagged: Iterable[ArmId] = ()
) -> Rebuilt:
    """Entries for everything declared that is ours in Azure, added to an empty state (which gives name and lineage).

    `fingerprints` are those of the secrets as they are now; one enters an entry only where Azure's answer proves it.
    `tagged` are ids that were found by our tag, declared or not.
    """
    claims = _claims(empty.deployment, graph, snapshot)
    ours = {address for address, why in claims.items() if not why}
    entries, differing = {}, []
    for address in sorted(ours):
        resource = graph.resources[address]
        needs = tuple(i for i in graph.needs(address) if i in graph.by_id and graph.by_id[i].address in ours)
        observed = snapshot.get(resource.id)
        entries[address] = entry_of(
            resource, needs, _proved(resource, observed, fingerprints), resolver(snapshot.get), None
        )
        differing += [
            f"{address}: {item.difference.path}" for item in _compared(resource, snapshot, fingerprints).found
        ]
    return Rebuilt(
        empty.model_copy(update={"entries": entries, "serial": empty.serial + 1}),
        recovered=tuple(sorted(ours)),
        absent=tuple(a for a, resource in sorted(graph.resources.items()) if not snapshot.get(resource.id).present),
        not_ours={address: why for address, why in sorted(claims.items()) if why},
        differing=tuple(differing),
        strays=tuple(sorted(set(tagged) - set(graph.by_id) - set(empty.forgotten))),
    )


def included(rebuilt: Rebuilt, old: State, named: Collection[str], read: Callable[[ArmId], Observed]) -> Rebuilt:
    """The same with an entry for each stray that is named by id or address; raises `UsageError` for any other name.

    Such an entry is protected: nobody declares it, and the next plan would delete it otherwise.
    """
    addresses = _addresses(rebuilt, old)
    chosen: dict[ArmId, str] = {}
    for text in named:
        match = next((i for i, a in addresses.items() if text.lower() in (i.key, a.lower())), None)
        if match is None:
            raise _no_stray(text, addresses)
        chosen[match] = addresses[match]
    entries = dict(rebuilt.state.entries)
    known = {entry.id for entry in entries.values()}
    documents = {stray: read(stray).document or {} for stray in chosen}
    for stray, address in _needed_first(chosen, documents):
        needs = tuple(sorted(_named_in(documents[stray], stray) & known))
        entries[address] = Entry(address=address, id=stray, needs=needs, protect=True)
        if rebuilt.state.model_copy(update={"entries": entries}).check():  # two networks name each other, for example
            entries[address] = entries[address].model_copy(update={"needs": ()})
        known.add(stray)
    return replace(
        rebuilt,
        state=rebuilt.state.model_copy(update={"entries": dict(sorted(entries.items()))}),
        strays=tuple(stray for stray in rebuilt.strays if stray not in chosen),
        included=tuple(sorted(chosen.values())),
    )


def _needed_first(
    chosen: Mapping[ArmId, str], documents: Mapping[ArmId, Mapping[str, Any]]
) -> Iterator[tuple[ArmId, str]]:
    """Each after those of the others that its document names."""
    done: set[ArmId] = set()
    waiting = sorted(chosen)
    while waiting:
        ready = [each for each in waiting if not (_named_in(documents[each], each) & set(waiting)) - {each}]
        for each in ready or waiting[:1]:
            yield each, chosen[each]
            done.add(each)
        waiting = [each for each in waiting if each not in done]


def _addresses(rebuilt: Rebuilt, old: State) -> dict[ArmId, str]:
    """The address of each stray: the one that it had, else one made of its type and name."""
    known = old.by_id()
    taken = set(rebuilt.state.entries)
    found: dict[ArmId, str] = {}
    for stray in rebuilt.strays:
        kind = stray.type.rpartition("/")[2]
        address = known[stray].address if stray in known else f"{kind[:1].upper()}{kind[1:]}/{'/'.join(stray.names)}"
        while address in taken:
            address += f"/{stray.group}" if not address.endswith(f"/{stray.group}") else "/other"
        taken.add(address)
        found[stray] = address
    return found


def _no_stray(text: str, addresses: Mapping[ArmId, str]) -> UsageError:
    told = "; ".join(f"{address} ({stray})" for stray, address in addresses.items())
    return UsageError(
        f"--include {text} is not among what bears the tag of this deployment and is not declared.",
        advice=f"Such are: {told}." if told else "There is nothing of that kind.",
    )


def _named_in(document: Any, stray: ArmId) -> set[ArmId]:
    """Ids that a document names; not its own and those inside it, and not what only refers back to it."""
    found: set[ArmId] = set()
    for name, value in document.items() if isinstance(document, Mapping) else ():
        if name == "id" and isinstance(value, str):
            with contextlib.suppress(InvalidArmId):
                found |= {ArmId(value)} - {stray}
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, Mapping):
                found |= _named_in(item, stray)
    return {each for each in found if not stray.contains(each)} | ({stray.parent} if stray.parent else set())


def _claims(deployment: str, graph: Graph, snapshot: Snapshot) -> dict[str, str]:
    """For each declared resource that Azure has: the empty text if it is ours, else why not."""
    claims: dict[str, str] = {}
    for resource in sorted(graph.resources.values(), key=lambda resource: (len(resource.id.names), resource.id)):
        observed = snapshot.get(resource.id)
        if observed.present:
            claims[resource.address] = _why_not(deployment, resource, observed, graph, claims, snapshot)
    return claims


def _why_not(
    deployment: str, resource: Resource, observed: Observed, graph: Graph, claims: Mapping[str, str], snapshot: Snapshot
) -> str:
    if resource.taggable:
        owner = deployment_in(observed.document)
        if owner == deployment:
            return ""
        if resource.only_if_absent:
            return "used, because it was there before us"
        return f"belongs to the deployment {owner}" if owner else "bears no tag of ours; take it over with --adopt"
    parent = graph.by_id.get(resource.id.parent) if resource.id.parent else None
    if parent is not None:
        return claims.get(parent.address, "") and f"lies in {parent.address}, which is not ours"
    if _compared(resource, snapshot, {}).found:
        return "cannot bear a tag, and differs from what is declared; take it over with --adopt"
    return ""


def _compared(resource: Resource, snapshot: Snapshot, fingerprints: Fingerprints) -> Comparison:
    declared = mask_secrets(resource.body(), fingerprints, resolver(snapshot.get))
    document = snapshot.get(resource.id).document or {}
    return compare(shape_of(type(resource)), declared, declared, document)


def _proved(resource: Resource, observed: Observed, fingerprints: Fingerprints) -> Fingerprints:
    """Fingerprints that Azure's own answer confirms; of the others nobody knows whether Azure has that value."""
    found: dict[SecretReference, Fingerprint] = {}
    for path, reference in secrets_in(resource.body()):
        witness, known = lookup(observed.document, path), fingerprints.get(reference)
        if isinstance(witness, Fingerprint) and known is not None and known.same_value(witness):
            found[reference] = known
    return found
