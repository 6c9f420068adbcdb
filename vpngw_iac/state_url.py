"""What may be written as the place of a state: a folder, a ``file:///`` URL, or ``azblob://ACCOUNT/CONTAINER/PREFIX``.

Whatever looks like an address and is none of these is refused: a slip of the pen must never become a new, empty folder.
Pure; nothing is opened. What a message repeats of a URL ends before its query, where tokens stand.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.text import nearest

AZBLOB, FILE = "azblob", "file"
FORMS = "Write a folder, file:///FOLDER, or azblob://ACCOUNT/CONTAINER/PREFIX."

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
_LOST_COLON = re.compile(r"(azblobs?|file|https?|s3|gs|wasbs?|abfss?)//", re.IGNORECASE)
_BLOB_HOST = re.compile(r"(?:[^/@]*@)?([a-z0-9-]+)\.(blob|dfs)\.[a-z0-9.-]+(?::\d+)?(?:/(.*))?", re.IGNORECASE)
_ACCOUNT = re.compile(r"[a-z0-9-]+")
_CONTAINER = re.compile(r"[a-z0-9$][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder; a relative path starts where the setting was said."""

    path: Path


@dataclass(frozen=True, slots=True)
class BlobPlace:
    """A prefix of a container in Azure Storage."""

    account: str
    container: str
    prefix: str
    endpoint: str
    """Address of another storage service than the cloud's own; empty for the cloud's own."""
    keys: str = ""
    """The container of the keys, where it is named; see `keys_container`."""

    @property
    def keys_container(self) -> str:
        """The container in which the keys of the states are: another one, so that it can have rights of its own."""
        return self.keys or _keys_of(self.container)


def read_state_url(text: str) -> FolderPlace | BlobPlace:
    """Read the place of a state; raises `UsageError` that names the form which was probably meant."""
    text = text.strip()
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise UsageError(f"The state {shown(text)!r} holds a control character.", advice=FORMS)
    if _DRIVE.match(text) or text.startswith("\\\\") or "\\" in text:
        if os.name == "nt":  # pragma: no cover - Windows
            return FolderPlace(Path(text))
        raise UsageError(f"The state {shown(text)!r} is a path of Windows.", advice="Write a folder of this machine.")
    scheme = _SCHEME.match(text)
    if scheme is None:
        return FolderPlace(_folder(text))
    if scheme[1] == AZBLOB:
        return _blob(text)
    if scheme[1] == FILE:
        return FolderPlace(_file(text))
    raise _unknown(text, scheme[1])


def cloud_folder(cloud: str) -> str:
    """The folder of a cloud below a place: its own name, or host and port of an endpoint."""
    if not cloud.startswith(("https://", "http://")):
        return cloud
    return re.sub(r"[^A-Za-z0-9.-]", "-", urlsplit(cloud).netloc)


def blob_url(place: BlobPlace, cloud: str, deployment: str) -> str:
    """How people find the state of a deployment in a cloud."""
    folder = "/".join(part for part in (place.prefix, cloud_folder(cloud), deployment) if part)
    return f"{AZBLOB}://{place.account}/{place.container}/{folder}"


def key_secret_name(deployment: str, state: str) -> str:
    """Name of the secret of a vault that holds the key of a state, by its URL: one vault may hold those of many.

    A secret's name has letters, digits and ``-``
    (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#objects-identifiers-and-versioning).
    """
    plain = re.sub(r"[^0-9A-Za-z]+", "-", deployment).strip("-")[:80] or "state"
    return f"vpngw-key-{plain}-{hashlib.sha256(state.encode()).hexdigest()[:12]}"


def vault_name(url: str) -> str:
    """The name of a vault, as `az` wants it: the first label of its host; empty for what has none."""
    return (urlsplit(url).hostname or "").partition(".")[0]


def shown(text: str) -> str:
    """A URL as messages repeat it: without user, query and fragment, where passwords and tokens stand."""
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", text, maxsplit=1)[0])


def _folder(text: str) -> Path:
    if lost := _LOST_COLON.match(text):
        raise UsageError(f"The state {shown(text)!r} lacks a colon after {lost[1]!r}.", advice=FORMS)
    if host := _BLOB_HOST.fullmatch(re.split(r"[?#]", text, maxsplit=1)[0]):
        raise UsageError(f"The state {shown(text)!r} is not a folder.", advice=f"Write {_as_blob(host)}.")
    if text.startswith("~") or re.match(r"[$%]\{?[A-Za-z_]", text):
        raise UsageError(
            f"The state {text!r} is not a path: '~' and variables are replaced by a shell, not here.",
            advice="Write the whole path.",
        )
    return Path(text)


def _file(text: str) -> Path:
    parts = _split(text)
    path = unquote(parts.path)
    if not text.startswith("file://") or not path.startswith("/") or parts.netloc not in ("", "localhost"):
        meant = unquote(text.removeprefix("file:")).lstrip("/")
        absolute = text.startswith("file:/") and not text.startswith("file://")
        advice = f"Write file:///{meant}." if absolute else f"Write file:///WHOLE/PATH, or the folder: {meant}."
        raise UsageError(f"{shown(text)!r} is not the URL of a folder.", advice=advice)
    if parts.query or parts.fragment:
        raise UsageError(f"{shown(text)!r} has a query or a fragment.", advice="Write %3F for ? and %23 for #.")
    if "\0" in path:
        raise UsageError(f"The state {shown(text)!r} holds a control character.", advice=FORMS)
    return Path(path)


def _blob(text: str) -> BlobPlace:
    parts = _split(text)
    container, _, prefix = parts.path.strip("/").partition("/")
    wrong = _wrong_blob(parts, container, prefix)
    if not text.startswith("azblob://") or not parts.netloc or not container:
        wrong = f"{shown(text)!r} is not a state URL"
    if wrong:
        raise UsageError(f"{wrong}: write azblob://ACCOUNT/CONTAINER/PREFIX.", advice=_blob_advice(parts, prefix))
    endpoint, keys = (parse_qs(parts.query).get(name, [""])[0] for name in ("endpoint", "keys"))
    if keys and (not _CONTAINER.fullmatch(keys) or keys == container):
        raise UsageError(f"{shown(keys)!r} is not the name of another container: write ?keys=CONTAINER.")
    if endpoint and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise UsageError(f"{shown(endpoint)!r} is not the address of a storage service: write ?endpoint=https://HOST.")
    return BlobPlace(parts.netloc, container, prefix.strip("/"), endpoint.rstrip("/"), keys)


def _keys_of(container: str) -> str:
    """``CONTAINER-keys``; names of containers have 63 characters at most, and no ``$`` within."""
    plain = container.strip("$-")
    if len(plain) > 58:
        plain = f"{plain[:49]}-{hashlib.sha256(plain.encode()).hexdigest()[:8]}"
    return f"{plain}-keys"


def _wrong_blob(parts: SplitResult, container: str, prefix: str) -> str:
    if not _ACCOUNT.fullmatch(parts.netloc):
        return f"{shown(f'//{parts.netloc}').lstrip('/')!r} is not the name of a storage account"
    if not _CONTAINER.fullmatch(container):
        return f"{container!r} is not the name of a container"
    if any(piece in (".", "..") for piece in prefix.split("/")):
        return f"{prefix!r} is not a prefix: it has a step '.' or '..'"
    if unknown := sorted(parse_qs(parts.query, keep_blank_values=True).keys() - {"endpoint", "keys"}):
        return f"A state URL takes 'endpoint' and 'keys' after '?', not {unknown[0]!r}"
    return "A state URL has no part after '#'" if parts.fragment else ""


def _blob_advice(parts: SplitResult, prefix: str) -> str:
    host = _BLOB_HOST.fullmatch(parts.netloc + parts.path)
    if host:
        return f"Write {_as_blob(host)}."
    if parts.netloc.lower() != parts.netloc and _ACCOUNT.fullmatch(parts.netloc.lower()):
        return f"Names of storage accounts are in lower case: {parts.netloc.lower()}."
    if parts.query and not {"endpoint", "keys"} & parse_qs(parts.query).keys():
        return "A SAS token is not taken; sign in, or set AZURE_STORAGE_KEY."
    return "" if prefix else FORMS


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise UsageError(f"{shown(text)!r} is not a URL.", advice=FORMS) from None


def _as_blob(host: re.Match[str]) -> str:
    """``https://account.blob.core.windows.net/container/prefix`` as a state URL."""
    return f"azblob://{host[1].lower()}/{host[3] or 'CONTAINER/PREFIX'}"


def _unknown(text: str, scheme: str) -> UsageError:
    plain = shown(text)
    after = plain[len(scheme) + 1 :]
    close = nearest(scheme, (AZBLOB, FILE))
    if scheme.lower() in (AZBLOB, FILE):
        advice = f"Write {scheme.lower()} in lower case: {scheme.lower()}:{after}."
    elif scheme.lower() in ("http", "https", "wasb", "wasbs", "abfs", "abfss"):
        host = _BLOB_HOST.fullmatch(after.lstrip("/"))
        advice = f"Write {_as_blob(host)}." if host else FORMS
    elif after.startswith("/"):
        advice = (f"Did you mean {close}:{after}? " if close else "") + FORMS
    else:
        advice = f"{FORMS} For a folder of that name write ./{plain}."
    return UsageError(f"{plain!r} is not a state URL: {scheme!r} is not a kind of state.", advice=advice)
