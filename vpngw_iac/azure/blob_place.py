"""Make a place in Azure Storage ready for states: containers, the key in its own or in a vault, what protects both.

What only the control plane of a storage account or a vault can do is told as the command that does it.
"""

from __future__ import annotations

from vpngw_iac.azure.blobs import Blobs, Conflict
from vpngw_iac.azure.key_in_vault import READER, KeyPlace, VaultKeys
from vpngw_iac.errors import Forbidden, NoPlace, StateError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.state.store import PreparedPlace
from vpngw_iac.state_url import vault_name

_PROBE = "probe-of-vpngw"
DAYS = 30
"""How long what was deleted can be had back."""


@dataclass(frozen=True, slots=True)
class VaultSecret:
    """The secret of a vault in which the key is to be."""

    keys: VaultKeys
    vault: str
    secret: str


def prepare(states: Blobs, keys: Blobs | None, key: str, move: VaultSecret | None = None) -> PreparedPlace:
    """Make the containers, move the key; raises `Forbidden` for whoever lacks a right of a run at one of them.

    With `move` the key is in a vault, and no container of keys is made.
    """
    made, warnings = list[str](), list[str]()
    for blobs in (states, *([keys] if keys and not move else ())):
        if _made(blobs):
            made.append(f"the container {blobs.container}, private")
        if _is_public(blobs):
            warnings.append(f"The container {blobs.container} can be read by everybody: make it private at once.")
        versioned = blobs.probe(_PROBE)
    if move:
        made += _moved_to_vault(states, keys, key, move, warnings)
    elif keys:
        made += _moved(states, keys, key, warnings)
    account = states.account
    protection = f"az storage account blob-service-properties update --account-name {account}"
    if not versioned:
        warnings.append(f"Blobs are not versioned: `{protection} --enable-versioning true`.")
    if softened := states.keep_deleted(DAYS):
        made.append(f"soft delete: what is deleted can be had back for {DAYS} days")
    elif softened is None:
        warnings.append(
            "Whether deleted blobs can be had back may not be asked with these rights: "
            f"`{protection} --enable-delete-retention true --delete-retention-days {DAYS}`."
        )
    return PreparedPlace(tuple(made), tuple(warnings), _vault_hints(states, move) if move else _hints(states, keys))


def _made(blobs: Blobs) -> bool:
    """Whether the container was made; who may not make one may still find it there."""
    try:
        return blobs.create_container()
    except Forbidden:
        blobs.names("")  # raises what is wrong if it is not there
        return False


def _is_public(blobs: Blobs) -> bool:
    try:
        return blobs.is_public()
    except Forbidden:
        return False


def _moved(states: Blobs, keys: Blobs, key: str, warnings: list[str]) -> list[str]:
    """The key that lies beside the state goes into the container of the keys, where it is read first."""
    beside = states.read(key)
    if beside is None:
        return []
    try:
        keys.write(key, beside, etag=None)
    except Conflict:
        warnings.append(f"{keys.url_of(key)} is the key; {states.url_of(key)} is another one, which nobody uses.")
        return []
    if keys.read(key) != beside:
        raise StateError(f"The key cannot be read back from {keys.url_of(key)}; {states.url_of(key)} is still there.")
    states.delete(key)
    told = _stays_readable(states.container)
    warnings.append(f"{told} remove the key, then `vpngw apply --resend-secrets`.")
    return [f"the key, moved from {states.url_of(key)} to {keys.url_of(key)}"]


def _moved_to_vault(states: Blobs, keys: Blobs | None, key: str, move: VaultSecret, warnings: list[str]) -> list[str]:
    """Whatever is the key now becomes a version of the secret; what says where it is is written after that."""
    beside = states.find(key)
    data = states.read(key) if beside else None
    place, apart = KeyPlace.of(data, states.url_of(key)), _read_apart(keys, key)
    if place is not None and place.vault == move.vault:
        return _left_behind(place, apart, keys, key, move, warnings)
    current = apart or (move.keys.read(place) if place else data)
    if current is None:
        return []
    where = keys.url_of(key) if keys and apart else place.name if place else states.url_of(key)
    found = move.keys.find(move.vault, move.secret)
    same = found is not None and found[1].lower() == current.strip().lower()
    target = found[0] if found and same else move.keys.write(move.vault, move.secret, current.strip())
    if move.keys.read(target).lower() != current.strip().lower():
        raise StateError(f"The key cannot be read back from {target.name}; {where} is still there.")
    states.write(key, target.dump(), etag=beside.etag if beside else None)
    if keys and apart:
        keys.delete(key)
    if place and not apart:
        warnings.append(f"{place.name} is still there, and nobody uses it.")
    else:
        warnings.append(
            f"{_stays_readable(keys.container if keys and apart else states.container)} delete and purge the secret, "
            f"remove the blob `{key}` beside the state, `vpngw state init --key-vault` again, then "
            "`vpngw apply --resend-secrets`."
        )
    return [f"the key, moved from {where} to {target.name}"]


def _left_behind(
    place: KeyPlace, apart: bytes | None, keys: Blobs | None, key: str, move: VaultSecret, warnings: list[str]
) -> list[str]:
    """A move that was interrupted before its end is ended; raises what stops the key from being read."""
    current = move.keys.read(place)
    if keys is None or apart is None:
        return []
    if apart.strip().lower() != current.lower():
        warnings.append(f"{keys.url_of(key)} is the key; {place.name} is another one, which nobody uses.")
        return []
    keys.delete(key)
    return [f"the key, which is in {place.name}, gone from {keys.url_of(key)}"]


def _read_apart(keys: Blobs | None, key: str) -> bytes | None:
    try:
        return keys.read(key) if keys else None
    except NoPlace:
        return None


def _stays_readable(container: str) -> str:
    return (
        f"Earlier versions of the moved key can still be read in the container {container}, until they run out, by "
        "whoever may read it. If somebody among them must not know it:"
    )


def _hints(states: Blobs, keys: Blobs | None) -> tuple[str, ...]:
    reader, contributor = "Storage Blob Data Reader", "Storage Blob Data Contributor"
    if keys is None:
        return ()
    return (
        f"Who plans pull requests: {reader!r} on the container {states.container}, nothing on {keys.container}.",
        f"Who plans what may be applied: {reader!r} on both containers.",
        f"Who applies: {contributor!r} on {states.container}, {reader!r} on {keys.container}.",
        f"Give each right at its container alone, for example `az role assignment create --role {reader!r} --assignee "
        f"CLIENT --scope $(az storage account show -n {states.account} --query id -o tsv)/blobServices/default/"
        f"containers/{states.container}`.",
    )


def _vault_hints(states: Blobs, move: VaultSecret) -> tuple[str, ...]:
    reader, contributor = "Storage Blob Data Reader", "Storage Blob Data Contributor"
    secret, name = f"the secret {move.secret} of {move.vault}", vault_name(move.vault)
    return (
        f"Who plans pull requests: {reader!r} on the container {states.container}, nothing on the vault.",
        f"Who plans what may be applied: {reader!r} on {states.container}, {READER!r} on {secret}.",
        f"Who applies: {contributor!r} on {states.container}, {READER!r} on that secret.",
        f"Give the latter at the secret alone: `az role assignment create --role {READER!r} --assignee CLIENT --scope "
        f"$(az keyvault show -n {name} --query id -o tsv)/secrets/{move.secret}`.",
        "Deleted, the vault or the secret can be had back; so that nobody can purge it meanwhile: "
        f"`az keyvault update -n {name} --enable-purge-protection true`.",
    )
