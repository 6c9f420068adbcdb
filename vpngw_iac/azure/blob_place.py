"""Make a place in Azure Storage ready for states: containers, the key in its own, and what protects both.

What only the control plane of a storage account can do is told as the command that does it.
"""

from __future__ import annotations

from vpngw_iac.azure.blobs import Blobs, Conflict
from vpngw_iac.errors import Forbidden, StateError
from vpngw_iac.state.store import PreparedPlace

_PROBE = "probe-of-vpngw"
DAYS = 30
"""How long what was deleted can be had back."""


def prepare(states: Blobs, keys: Blobs | None, key: str) -> PreparedPlace:
    """Make both containers, move the key; raises `Forbidden` for whoever lacks a right of a run at either."""
    made, warnings = list[str](), list[str]()
    for blobs in (states, *([keys] if keys else ())):
        if _made(blobs):
            made.append(f"the container {blobs.container}, private")
        if _is_public(blobs):
            warnings.append(f"The container {blobs.container} can be read by everybody: make it private at once.")
        versioned = blobs.probe(_PROBE)
    if keys is not None:
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
    return PreparedPlace(tuple(made), tuple(warnings), _hints(states, keys))


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
    warnings.append(
        "Earlier versions of the moved key can still be read in the container of the states, until they run out, by "
        "whoever may read it. If somebody among them must not know it: remove the key, then "
        "`vpngw apply --resend-secrets`."
    )
    return [f"the key, moved from {states.url_of(key)} to {keys.url_of(key)}"]


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
