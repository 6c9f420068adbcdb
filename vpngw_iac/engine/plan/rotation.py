"""A rotation that somebody wrote: another version of a reference, or another ``rotation`` beside it, is an edit. Pure.

It is decided by what is written, not by values: whoever cannot read the secret decides the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from vpngw_iac.engine.compare.difference import Comparison, MarkedDifference
from vpngw_iac.engine.compare.document import MaskedSecret, lookup, secrets_in
from vpngw_iac.engine.compare.secret_masking import applied_of
from vpngw_iac.engine.plan.change import Difference
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.secret import KeyVaultSecret, SecretReference
from vpngw_iac.state.model import Entry


def with_rotations(comparison: Comparison, resource: Resource, entry: Entry | None) -> Comparison:
    """The comparison, in which each secret that somebody wrote to be another one is a difference, read or not."""
    written = tuple(_written(resource, entry)) if entry is not None and entry.id == resource.id else ()
    if not written:
        return comparison
    paths = {item.difference.path for item in written}
    return replace(
        comparison,
        found=(*(item for item in comparison.found if item.difference.path not in paths), *written),
        unverified=_less(comparison.unverified, paths),
        unreadable=_less(comparison.unreadable, paths),
        unseen=_less(comparison.unseen, paths),
    )


def _less(paths: tuple[str, ...], gone: Collection[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if path not in gone)


def _written(resource: Resource, entry: Entry) -> Iterator[MarkedDifference]:
    applied = applied_of(entry)
    for path, reference in secrets_in(resource.body()):
        before = lookup(applied, path)
        if not isinstance(before, MaskedSecret):
            continue  # there was none: that is an edit anyway
        now, then = _labels(resource, reference, entry, before)
        if now != then:
            told = Difference(path, "edit", now, then, "(sensitive)")
            mark = next((p.outage for p in reversed([*shape_of(type(resource)).along(path)]) if p.outage), None)
            yield MarkedDifference(told, outage=mark, secret=True)


def _labels(resource: Resource, reference: SecretReference, entry: Entry, before: MaskedSecret) -> tuple[str, str]:
    """What is written now and what was when it was set last; equal where nobody wrote anything new."""
    said, known = [], []
    if resource.rotation and resource.rotation != entry.rotation:
        said.append(f"rotation {resource.rotation}")
        known += [f"rotation {entry.rotation}"] if entry.rotation else []
    wanted = reference.version if isinstance(reference, KeyVaultSecret) else None
    if wanted is not None and (used := _version_used(reference, before)) != wanted:
        said.append(f"version {wanted}")
        known += [f"version {used}"] if used else []
    if not said:
        return "", ""
    return f"(sensitive, {', '.join(said)})", f"(sensitive, {', '.join(known)})" if known else "(sensitive)"


def _version_used(reference: SecretReference, before: MaskedSecret) -> str:
    """The version that was set last, of the same secret."""
    former = before.reference
    if not (isinstance(former, KeyVaultSecret) and isinstance(reference, KeyVaultSecret)):
        return ""
    if (former.vault, former.name) != (reference.vault, reference.name):
        return ""
    return (before.fingerprint.version if before.fingerprint else None) or former.version or ""
