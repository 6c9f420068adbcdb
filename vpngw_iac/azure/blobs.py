"""Named blobs below one prefix: conditional writes, appends at a known position, leases; every failure translated once.

Knows Azure Storage (https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api) and nothing of states.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.storage.blob import BlobClient, BlobLeaseClient, BlobServiceClient, ContainerClient, RetentionPolicy

from vpngw_iac.azure.translate import transport_failure
from vpngw_iac.errors import AzureIds, Forbidden, NoPlace, SignInFailed, StateError, VpngwError
from vpngw_iac.late_dataclass import dataclass

_ABSENT = frozenset({"BlobNotFound", "ResourceNotFound"})
_ROLE = "Grant the role `Storage Blob Data Contributor` on the container, or set AZURE_STORAGE_KEY."
_QUICK: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 10}
"""Seconds for calls that must not hang while a lease runs out."""


class Conflict(StateError):
    """A condition of a write, or of a lease, was not met; `code` is the storage service's own."""

    def __init__(self, doing: str, code: str) -> None:
        super().__init__(f"{doing[0].upper()}{doing[1:]} was refused: {code}.")
        self.code = code


@dataclass(frozen=True, slots=True)
class BlobProperties:
    """What a blob says about itself."""

    etag: str
    size: int
    leased: bool
    metadata: Mapping[str, str]


class Blobs:
    """The blobs of one state."""

    def __init__(
        self, container: ContainerClient, prefix: str, url: str, service: BlobServiceClient | None = None
    ) -> None:
        self._container = container
        self._service = service
        self._prefix = prefix.strip("/")
        self._url = url.rstrip("/")
        self._reached = False

    def url_of(self, name: str) -> str:
        """How people find a blob."""
        return f"{self._url}/{name}"

    def read(self, name: str) -> bytes | None:
        """The blob's bytes, None if there is no such blob."""
        with contextlib.suppress(_Absent), self._translated(f"reading {self.url_of(name)}"):
            return bytes(self._client(name).download_blob().readall())
        return None

    @property
    def container(self) -> str:
        """Name of the container."""
        return str(self._container.container_name)

    @property
    def account(self) -> str:
        """Name of the storage account."""
        return str(self._container.account_name)

    def keep_deleted(self, days: int) -> bool | None:
        """Let what is deleted be had back for so many days, if nobody said otherwise; None where that is not ours.

        The service's properties belong to the account, and a right at a container does not reach them.
        """
        try:
            with self._translated("looking at the properties of the blob service"):
                service = self._service
                if service is None or service.get_service_properties()["delete_retention_policy"].enabled:
                    return False
                service.set_service_properties(delete_retention_policy=RetentionPolicy(enabled=True, days=days))
        except Forbidden:
            return None
        return True

    def create_container(self) -> bool:
        """Make the container, private; False if it is there already."""
        try:
            with self._translated(f"creating the container {self._container.container_name}"):
                self._container.create_container()
        except Conflict as conflict:
            if conflict.code != "ContainerAlreadyExists":
                raise
            return False
        return True

    def is_public(self) -> bool:
        """Whether anybody may read the container's blobs without signing in."""
        with self._translated(f"looking at the container {self._container.container_name}"):
            return bool(self._container.get_container_properties().public_access)

    def probe(self, name: str) -> bool:
        """Write a blob and delete it again, which needs the rights of a run; whether the account keeps versions."""
        with self._translated(f"writing {self.url_of(name)}"):
            answer = self._client(name).upload_blob(b"", overwrite=True)
        self.delete(name)
        return bool(answer.get("version_id"))

    def find(self, name: str) -> BlobProperties | None:
        """Size, etag, lease and metadata of a blob, None if there is no such blob."""
        with contextlib.suppress(_Absent), self._translated(f"reading {self.url_of(name)}"):
            properties = self._client(name).get_blob_properties(**_QUICK)
            return BlobProperties(
                etag=str(properties.etag),
                size=int(properties.size),
                leased=str(properties.lease.state) in {"leased", "breaking"},
                metadata=dict(properties.metadata or {}),
            )
        return None

    def names(self, below: str) -> list[str]:
        """Names of the blobs below a folder, sorted."""
        start = self._path(below) + "/"
        with contextlib.suppress(_Absent), self._translated(f"listing {self.url_of(below)}"):
            found = self._container.list_blob_names(name_starts_with=start)
            return sorted(f"{below}/{name.removeprefix(start)}" for name in found)
        return []

    def snapshots(self, name: str) -> list[str]:
        """Times of a blob's snapshots, oldest first."""
        path = self._path(name)
        with contextlib.suppress(_Absent), self._translated(f"listing the snapshots of {self.url_of(name)}"):
            found = self._container.list_blobs(name_starts_with=path, include=["snapshots"])
            return sorted(str(blob.snapshot) for blob in found if blob.name == path and blob.snapshot)
        return []

    def write(self, name: str, data: bytes, *, etag: str | None) -> str:
        """Write the whole blob if it still has this etag (None: if it does not exist); returns the new etag.

        Raises `Conflict`. An answer that was lost on the way is recognised by the blob's content.
        """
        condition: dict[str, Any] = {"match_condition": MatchConditions.IfMissing}
        if etag is not None:
            condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        try:
            with self._translated(f"writing {self.url_of(name)}"):
                answer = self._client(name).upload_blob(data, overwrite=etag is not None, **condition)
                return str(answer["etag"])
        except Conflict:
            found = self.find(name)
            if found is None or found.size != len(data) or self.read(name) != data:
                raise
            return found.etag

    def create_journal(self, name: str) -> None:
        """Create an empty append blob; nothing happens if it exists."""
        with self._translated(f"creating {self.url_of(name)}"), _unless_exists():
            self._client(name).create_append_blob(match_condition=MatchConditions.IfMissing)

    def append(self, name: str, data: bytes, *, position: int, lease: str) -> None:
        """Append if the blob ends at `position` and the lease is held; raises `Conflict`."""
        with self._translated(f"appending to {self.url_of(name)}"):
            self._client(name).append_block(
                data, length=len(data), appendpos_condition=position, lease=lease, connection_timeout=10
            )

    def tail(self, name: str, position: int) -> bytes:
        """What stands from `position` on."""
        with self._translated(f"reading {self.url_of(name)}"):
            return bytes(self._client(name).download_blob(offset=position).readall())

    def set_metadata(
        self, name: str, metadata: Mapping[str, str], *, lease: str | None = None, once: bool = False
    ) -> str | None:
        """Replace the metadata, which changes the etag; returns that, None if there is no such blob.

        `once`: who leaves does not wait for a service that does not answer.
        """
        more: dict[str, Any] = ({"lease": lease} if lease else {}) | (_QUICK | {"retry_total": 0} if once else {})
        with contextlib.suppress(_Absent), self._translated(f"writing {self.url_of(name)}"):
            return str(self._client(name).set_blob_metadata(dict(metadata), **more)["etag"])
        return None

    def snapshot(self, name: str, etag: str) -> None:
        """Keep what the blob is now; raises `Conflict` if it is not what it was."""
        with self._translated(f"keeping {self.url_of(name)}"):
            self._client(name).create_snapshot(etag=etag, match_condition=MatchConditions.IfNotModified)

    def delete(self, name: str, *, lease: str | None = None) -> None:
        """Delete a blob with its snapshots, if it is there."""
        more: dict[str, Any] = {"lease": lease} if lease else {}
        with contextlib.suppress(_Absent), self._translated(f"deleting {self.url_of(name)}"):
            self._client(name).delete_blob(delete_snapshots="include", **more)

    def acquire(self, name: str, lease: str, seconds: int) -> None:
        """Lease a blob under an id of ours; raises `Conflict` if somebody else has it."""
        with self._translated(f"leasing {self.url_of(name)}"):
            BlobLeaseClient(self._client(name), lease).acquire(lease_duration=seconds, **_QUICK)

    def renew(self, name: str, lease: str) -> None:
        """Prolong a lease, also one that ran out while nobody else wanted it; raises `Conflict` if it is lost."""
        with self._translated(f"renewing the lease of {self.url_of(name)}"):
            BlobLeaseClient(self._client(name), lease).renew(retry_total=0, **_QUICK)

    def release(self, name: str, lease: str) -> None:
        """Give a lease back; one that is lost stays lost."""
        with contextlib.suppress(_Absent, Conflict), self._translated(f"releasing {self.url_of(name)}"):
            BlobLeaseClient(self._client(name), lease).release(**_QUICK)

    def break_lease(self, name: str) -> None:
        """End whoever's lease at once; a blob without one stays as it is."""
        with contextlib.suppress(_Absent, Conflict), self._translated(f"breaking the lease of {self.url_of(name)}"):
            BlobLeaseClient(self._client(name)).break_lease(lease_break_period=0, **_QUICK)

    def _path(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _client(self, name: str) -> BlobClient:
        return self._container.get_blob_client(self._path(name))

    @contextlib.contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Raise what happened as what it means to us."""
        try:
            yield
        except HttpResponseError as error:
            self._reached = self._reached or error.response is not None
            raise self._meaning(error, doing) from None
        except AzureError as error:
            raise transport_failure(
                error, doing, AzureIds(), endpoint=str(self._container.primary_hostname), reached=self._reached
            ) from None
        else:
            self._reached = True

    def _meaning(self, error: HttpResponseError, doing: str) -> Exception:
        code = _code_of(error)
        status = error.status_code or 0
        if error.response is None or _is_of_sign_in(error):
            return transport_failure(
                error, doing, AzureIds(), endpoint=str(self._container.primary_hostname), reached=self._reached
            )
        if code in _ABSENT or (status == 404 and not code):
            return _Absent(f"{doing[0].upper()}{doing[1:]}: there is no such blob.")
        if code == "ContainerNotFound":
            return _no_container(self._container.container_name, self._container.account_name)
        if status in {401, 403}:
            return _forbidden(doing, code or str(status), status)
        if status in {409, 412}:
            return Conflict(doing, code or str(status))
        return StateError(f"{doing[0].upper()}{doing[1:]} failed: HTTP {status} {code or error.reason}.")


def _code_of(error: HttpResponseError) -> str:
    """The storage service's own code; the SDK makes an enumeration of those that it knows."""
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))


def _is_of_sign_in(error: HttpResponseError) -> bool:
    """Whether it is who signs us in that has refused: the SDK makes the same class of it, without a storage's code."""
    return isinstance(error, ClientAuthenticationError) and not _code_of(error)


class _Absent(StateError):
    """There is no such blob."""


def _no_container(container: str, account: str | None) -> NoPlace:
    return NoPlace(
        f"The storage account {account} has no container {container!r}.",
        advice="Create it once: `vpngw state init` with this state, or `az storage container create "
        f"--account-name {account} --name {container} --auth-mode login`; keep its blobs private.",
    )


def _forbidden(doing: str, code: str, status: int) -> VpngwError:
    if status == 401 or code in {"AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"}:
        return SignInFailed(f"The storage account does not accept who we are ({code}), {doing}.", advice=_ROLE)
    return Forbidden(f"The storage account forbids {doing} ({code}).", status=status, code=code, advice=_ROLE)


@contextlib.contextmanager
def _unless_exists() -> Iterator[None]:
    """A blob that exists is what was wanted; one that is leased answers that it is leased."""
    try:
        yield
    except HttpResponseError as error:
        if _code_of(error) not in {"BlobAlreadyExists", "LeaseIdMissing", "ConditionNotMet"}:
            raise
