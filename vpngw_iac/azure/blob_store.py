"""A state in Azure Storage: ``azblob://account/container/prefix``.

::

    state.json   the checkpoint document; a snapshot of it is kept before each change
    journal/     append blobs, each named after its first record; the last one is live
    lock         the leased blob; its metadata says who

The fingerprint key lies in a container of its own, ``CONTAINER-keys``, below the same prefix, or in a key vault that
``key`` beside the state names: who may read states need not be able to read it. Keys of earlier versions lie beside the
state, and are read there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from azure.storage.blob import BlobServiceClient, ContainerClient, ExponentialRetry

from vpngw_iac.azure.blob_lock import BlobLock, Lease
from vpngw_iac.azure.blobs import Blobs, Conflict
from vpngw_iac.azure.key_in_vault import KeyPlace, VaultKeys
from vpngw_iac.errors import Forbidden, NoPlace, StateError, UsageError
from vpngw_iac.state.check import checked_name
from vpngw_iac.state.document import Damaged, is_damaged, load_checkpoint, load_journal
from vpngw_iac.state.loading import highest_number
from vpngw_iac.state.locked_store import LockedStoreBase, utc_now
from vpngw_iac.state.model import Binding
from vpngw_iac.state.store import Owner, PreparedPlace, Store
from vpngw_iac.state_url import AZBLOB, BlobPlace, key_secret_name, read_state_url

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SCHEME = AZBLOB
_DOCUMENT, _KEY, _JOURNALS, _BACKUPS = "state.json", "key", "journal", "backups"
_SUFFIX = {"usgovernment": "blob.core.usgovcloudapi.net", "china": "blob.core.chinacloudapi.cn"}
_ACCOUNT_KEY = "AZURE_STORAGE_KEY"


def open_blob_store(
    url: str,
    cloud: str,
    deployment: str,
    binding: Binding | None = None,
    *,
    credential: Callable[[], TokenCredential],
    environment: Mapping[str, str] | None = None,
    lease_seconds: int = 60,
    vault_keys: Callable[[], VaultKeys] | None = None,
) -> BlobStore:
    """The store of one deployment below ``azblob://account/container[/prefix][?endpoint=https://HOST[/account]]``.

    `cloud` and `deployment` are added to the prefix. Signs in with AZURE_STORAGE_KEY if it is set, else with what
    `credential` gives. `endpoint` is for another storage service than the cloud's own (Azure Stack, Azurite).
    `vault_keys` opens the vaults of the cloud, once a key is in one.
    """
    place = place_of(url, cloud)
    env = os.environ if environment is None else environment
    account_key = env.get(_ACCOUNT_KEY)
    if not account_key and place.endpoint.startswith("http://"):
        raise UsageError(f"{place.endpoint} is not https: without {_ACCOUNT_KEY} a token would be sent in the clear.")
    service = BlobServiceClient(
        place.endpoint,
        credential={"account_name": place.account, "account_key": account_key} if account_key else credential(),
        retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=3, random_jitter_range=1),
    )
    folder = "/".join(part for part in (place.prefix, checked_name(cloud, "cloud"), deployment) if part)
    return BlobStore(
        service.get_container_client(place.container),
        folder,
        deployment,
        binding,
        account=place.account,
        lease_seconds=lease_seconds,
        keys=service.get_container_client(place.keys_container),
        service=service,
        vault_keys=vault_keys,
    )


def place_of(url: str, cloud: str) -> BlobPlace:
    """Read ``azblob://account/container/prefix``, with the cloud's own endpoint if none is named; or `UsageError`."""
    read = read_state_url(url)
    if not isinstance(read, BlobPlace):
        raise UsageError(f"{url!r} is not a state URL: write azblob://ACCOUNT/CONTAINER/PREFIX.")
    endpoint = read.endpoint or f"https://{read.account}.{_SUFFIX.get(cloud, 'blob.core.windows.net')}"
    return replace(read, endpoint=endpoint)


class BlobStore(Store):
    """One deployment's state below a prefix of a container."""

    def __init__(
        self,
        container: ContainerClient,
        prefix: str,
        deployment: str,
        binding: Binding | None = None,
        *,
        account: str,
        lease_seconds: int = 60,
        utc: Callable[[], str] = utc_now,
        keys: ContainerClient | None = None,
        service: BlobServiceClient | None = None,
        vault_keys: Callable[[], VaultKeys] | None = None,
    ) -> None:
        self.url = f"{SCHEME}://{account}/{container.container_name}/{prefix}"
        self._blobs = Blobs(container, prefix, self.url, service)
        self.document_name = self._blobs.url_of(_DOCUMENT)
        self._keys = None
        if keys is not None:
            self._keys = Blobs(keys, prefix, f"{SCHEME}://{account}/{keys.container_name}/{prefix}")
        self._open_vaults = vault_keys
        self._wanted_vault = ""
        self._lock = BlobLock(self._blobs, deployment, lease_seconds)
        super().__init__(deployment, binding, self._lock, utc)

    @contextlib.contextmanager
    def locked(self, owner: Owner) -> Iterator[LockedBlobStore]:
        """Take the lock for a run; raises `StateLocked` naming who has it. Released on exit, whatever happens."""
        lease, left_by = self._lock.take(owner)
        with lease.held():
            notice = f"Stale lock of {left_by.describe()} taken over: its lease had run out." if left_by else ""
            locked = LockedBlobStore(self, self._blobs, lease, notice)
            locked.fence(owner)
            with contextlib.closing(locked):
                yield locked

    def unlock(self) -> Owner | None:
        """Break the lock; returns whose it was. A living holder finds out at its next write."""
        whose = self._lock.unlock()
        if whose is not None:
            for name in self._blobs.names(_JOURNALS)[-2:]:
                self._blobs.break_lease(name)
        return whose

    def backups(self) -> Sequence[str]:
        """Snapshots of the document and what was put aside, newest first."""
        snapshots = [f"{_DOCUMENT}?snapshot={time}" for time in self._blobs.snapshots(_DOCUMENT)]
        return (*reversed(snapshots), *reversed(self._blobs.names(_BACKUPS)))

    # what `load_state` reads

    def document(self) -> bytes | None:
        """The checkpoint document."""
        return self._blobs.read(_DOCUMENT)

    def journals(self, after: int) -> Sequence[tuple[str, bytes]]:
        """Journals that may hold later records, oldest first."""
        names = self._blobs.names(_JOURNALS)
        ends = [_first(name) - 1 for name in names[1:]] + [None]
        wanted = [name for name, end in zip(names, ends, strict=False) if end is None or end > after]
        found = ((name, self._blobs.read(name)) for name in wanted)
        return [(self._blobs.url_of(name), data) for name, data in found if data is not None]

    def keep_key_in(self, vault: str) -> None:
        """Have the key in a vault from the next `prepare` on; raises `UsageError` for what is no vault."""
        self._wanted_vault = self._vault_keys().url_of(vault)

    def _read_key(self) -> tuple[str, bytes | None]:
        """Where the key is: in its own container, in a vault, or beside the state, as earlier versions had it."""
        keys, denied = self._keys, None
        if keys is not None:
            try:
                if (found := keys.read(_KEY)) is not None:
                    return keys.url_of(_KEY), found
            except NoPlace:
                pass
            except Forbidden as error:
                denied, self.key_name = error, keys.url_of(_KEY)
        beside = self._blobs.read(_KEY)
        place = KeyPlace.of(beside, self._blobs.url_of(_KEY))
        self.key_is_apart = beside is None or place is not None
        if place is not None:
            self.key_vault, self.key_name = place.vault, place.name
            return place.name, self._vault_keys().read(place)
        if beside is None and denied is not None:
            raise denied
        return (keys if keys is not None and beside is None else self._blobs).url_of(_KEY), beside

    def _write_key(self, data: bytes) -> None:
        if self._wanted_vault:
            with contextlib.suppress(Conflict):
                self._blobs.write(_KEY, self._made_in_vault(data).dump(), etag=None)
            return
        if self._keys is not None and self._keys_are_there(self._keys):
            with contextlib.suppress(Conflict):
                self._keys.write(_KEY, data, etag=None)
            return
        with contextlib.suppress(Conflict):
            self._blobs.write(_KEY, data, etag=None)

    def _made_in_vault(self, data: bytes) -> KeyPlace:
        """The key that a run made which died before it wrote down where; else this one."""
        keys, secret = self._vault_keys(), key_secret_name(self.deployment, self.url)
        found = keys.find(self._wanted_vault, secret)
        return found[0] if found else keys.write(self._wanted_vault, secret, data)

    def _vault_keys(self) -> VaultKeys:
        if self._open_vaults is None:
            raise UsageError(f"The key of {self.url} is in a key vault, which this store was given no way to.")
        return self._open_vaults()

    def _keys_are_there(self, keys: Blobs) -> bool:
        """Make the container of the keys; False for whoever may not, whose key lies beside the state."""
        try:
            keys.names("")
        except NoPlace:
            try:
                keys.create_container()
            except Forbidden:
                return False
        return True

    def prepare(self) -> PreparedPlace:
        """Make the containers, put the key where it belongs, and say what protects them."""
        from vpngw_iac.azure.blob_place import VaultSecret, prepare

        vault = self._wanted_vault
        with contextlib.suppress(NoPlace):
            place = KeyPlace.of(self._blobs.read(_KEY), self._blobs.url_of(_KEY))
            vault = vault or (place.vault if place else "")
        secret = key_secret_name(self.deployment, self.url)
        move = VaultSecret(self._vault_keys(), vault, secret) if vault else None
        return prepare(self._blobs, self._keys, _KEY, move)


class LockedBlobStore(LockedStoreBase):
    """The lease of a state, held."""

    store: BlobStore

    def __init__(self, store: BlobStore, blobs: Blobs, lease: Lease, notice: str) -> None:
        super().__init__(store, notice)
        self._blobs = blobs
        self._lease = lease
        self._etag: str | None = None
        self._keep_document = True
        self._journal = ""
        self._size: int | None = None

    def fence(self, owner: Owner) -> None:
        """Shut out the run that had the lock before: its etag and its lease on the journal are worth nothing now.

        Comes before anything is read under the lock, so that what it wrote last is read and it writes nothing more.
        """
        self._etag = self._blobs.set_metadata(_DOCUMENT, {"run": owner.run})
        data = self.store.document()
        if data is None:
            return
        try:
            last = load_checkpoint(data, self.store.document_name).last
        except (Damaged, StateError):  # told by `load`: nothing is appended to such a state, by nobody
            for name in self._blobs.names(_JOURNALS)[-1:]:
                self._seize(name)
            return
        self._open_journal(last)

    @contextlib.contextmanager
    def _ours(self) -> Iterator[None]:
        self._lease.assure()
        yield

    def renew(self) -> None:
        """Ask the storage service whether the lock is still ours; raises `StateLocked`."""
        self._lease.renew()

    def _write_record(self, line: bytes) -> None:
        if self._size is None:
            found = self._blobs.find(self._journal)
            self._size = found.size if found else 0
        position, self._size = self._size, None
        try:
            self._blobs.append(self._journal, line, position=position, lease=self._lease.id)
        except Conflict as conflict:
            self._append_again(line, position, conflict)
        self._size = position + len(line)

    def _append_again(self, line: bytes, position: int, conflict: Conflict) -> None:
        """After a refusal: an answer was lost on the way, a lease ran out unwanted, or the lock is lost."""
        if conflict.code == "AppendPositionConditionNotMet":
            if self._blobs.tail(self._journal, position) == line:
                return
            raise self._lease.lost()
        if "lease" not in conflict.code.lower():
            raise StateError(f"The journal {self._blobs.url_of(self._journal)} takes no record: {conflict.code}.")
        self._lease.renew()
        try:
            self._blobs.append(self._journal, line, position=position, lease=self._lease.id)
        except Conflict:
            raise self._lease.lost() from None

    def _write_document(self, parts: Iterable[bytes], last: int) -> None:
        document = b"".join(parts)
        self._lease.renew()
        try:
            if self._etag is not None and self._keep_document:
                self._blobs.snapshot(_DOCUMENT, self._etag)
            self._etag = self._blobs.write(_DOCUMENT, document, etag=self._etag)
            self._keep_document = True
        except Conflict:
            raise self._lease.lost() from None
        self._open_journal(last)

    def _open_journal(self, last: int) -> None:
        """The live journal is the one that begins after the document's last record; ours alone while we hold it."""
        name = f"{_JOURNALS}/{last + 1:010d}.jsonl"
        if name == self._journal:
            return
        self._blobs.create_journal(name)
        self._seize(name)
        if self._journal:
            self._lease.drop(self._journal)
        self._journal, self._size = name, None

    def _seize(self, name: str) -> None:
        try:
            self._lease.seize(name)
        except Conflict:
            raise self._lease.lost() from None

    def _set_aside(self) -> int:
        """Keep the bytes of what cannot be read under another name; the document's place is then written over."""
        highest = highest_number(self.store)
        number = len(self._blobs.names(_BACKUPS)) + 1
        document = self.store.document()
        if document is not None and is_damaged(load_checkpoint, document):
            self._blobs.write(f"{_BACKUPS}/damaged-{number:06d}-{_DOCUMENT}", document, etag=None)
            self._keep_document = False
        for name in self._blobs.names(_JOURNALS):
            data = self._blobs.read(name) or b""
            if is_damaged(load_journal, data):
                self._blobs.write(f"{_BACKUPS}/damaged-{number:06d}-{name.replace('/', '-')}", data, etag=None)
                self._blobs.delete(name, lease=self._lease.id if name in self._lease.names else None)
                self._lease.forget(name)
                self._journal = "" if name == self._journal else self._journal
        return highest


def _first(name: str) -> int:
    digits = name.removeprefix(f"{_JOURNALS}/").removesuffix(".jsonl")
    return int(digits) if digits.isdigit() else 0
