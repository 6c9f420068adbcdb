"""From declared bodies and stored entries to documents that can be compared, and back. No value of a secret here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.document import ABSENT, MaskedSecret, lookup, secrets_in, transform
from vpngw_iac.engine.ports import Observed
from vpngw_iac.paths import join
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.dump import mark_of, marked
from vpngw_iac.resources.wire import SECRET_TYPES, Document, Output
from vpngw_iac.secret import Fingerprint, SecretReference
from vpngw_iac.state.model import Entry

Fingerprints = Mapping[SecretReference, Fingerprint | None]
"""Fingerprint of each referenced secret as it is now; None where it cannot be resolved."""


def mask_secrets(body: Document, fingerprints: Fingerprints, resolve: Callable[[Output], Any]) -> Document:
    """A declared body ready to compare: secrets masked, outputs resolved where `resolve` does not answer ABSENT."""

    def masked(value: Any) -> MaskedSecret:
        return MaskedSecret(value, None if isinstance(value, Output) else fingerprints.get(value))

    return _replaced(body, masked, resolve, lambda output: output)


def _replaced(
    body: Document, secret: Callable[[Any], Any], resolve: Callable[[Output], Any], unknown: Callable[[Output], Any]
) -> Document:
    """A declared body with something in place of each secret and of each output."""

    def leaf(_: str, value: Any) -> Any:
        if isinstance(value, SECRET_TYPES) or (isinstance(value, Output) and value.secret):
            return secret(value)
        if isinstance(value, Output):
            known = resolve(value)
            return unknown(value) if known is ABSENT else known
        return value

    return cast("Document", transform(body, leaf))


def applied_of(entry: Entry) -> Document:
    """What was applied last time, ready to compare."""

    def open_(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            if (reference := marked(value)) is not None:
                stored = None if isinstance(reference, Output) else entry.fingerprints.get(path)
                return MaskedSecret(reference, Fingerprint.load(stored) if stored else None)
            return {key: open_(item, join(path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [open_(item, f"{path}[{index}]") for index, item in enumerate(value)]
        return value

    return cast("Document", open_(entry.applied, ""))


def stored(body: Document, resolve: Callable[[Output], Any]) -> Document:
    """A declared body as the state keeps it: references in place of secrets, outputs resolved."""
    return _replaced(body, mark_of, resolve, lambda _: None)


def entry_of(
    resource: Resource,
    needs: tuple[ArmId, ...],
    fingerprints: Fingerprints,
    resolve: Callable[[Output], Any],
    before: Entry | None,
) -> Entry:
    """The entry of a resource once it is applied."""
    body = resource.body()
    kept = before.fingerprints if before else {}
    fingerprints_by_path = {
        path: known.dump() if (known := fingerprints.get(reference)) else kept[path]
        for path, reference in secrets_in(body)
        if fingerprints.get(reference) or path in kept
    }
    return Entry(
        address=resource.address,
        id=resource.id,
        needs=needs,
        applied=stored(body, resolve),
        fingerprints=fingerprints_by_path,
        unread=before.unread if before else (),
        overruled=before.overruled if before else {},
        adopted=before.adopted if before else {},
        broken=before.broken if before else "",
        protect=resource.protect,
        on_removal=resource.on_removal,
        created=before.created if before else True,
        affected=resource.affected,
        tenant=resource.tenant,
        rotation=resource.rotation,
        named=dict(resource.named),
    )


def resolver(read: Callable[[ArmId], Observed]) -> Callable[[Output], Any]:
    """Resolve outputs from what `read` answers; ABSENT where the source or the value is not there."""

    def resolve(output: Output) -> Any:
        observed = read(output.source)
        return ABSENT if observed.document is None else lookup(observed.document, output.path)

    return resolve
