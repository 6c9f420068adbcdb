"""The file store: one private folder per deployment, with its document, journal, key, lock, history and backups.

::

    state.json       the checkpoint document          journal.jsonl  what happened since, one record a line
    history/         earlier journals, by number      backups/       earlier documents, the newest thirty
    key              fingerprint key, kept apart      lock, lock.json, guard   who may write
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from vpngw_iac.errors import StateDenied, StateError
from vpngw_iac.files import is_denied, owned
from vpngw_iac.state.check import checked_name
from vpngw_iac.state.disk import Folder
from vpngw_iac.state.document import is_damaged, load_checkpoint, load_journal
from vpngw_iac.state.loading import highest_number, read_journal
from vpngw_iac.state.lock import FileLock, FolderLock
from vpngw_iac.state.locked_store import LockedStoreBase, utc_now
from vpngw_iac.state.model import Binding
from vpngw_iac.state.store import Owner, PreparedPlace, Store

_DOCUMENT, _JOURNAL, _KEY = "state.json", "journal.jsonl", "key"
_HISTORY, _BACKUPS = "history", "backups"
_KEPT = 30
_SEGMENT = re.compile(rf"{_HISTORY}/(\d+)-(\d+)\.jsonl")
_BACKUP = re.compile(rf"{_BACKUPS}/state-(\d+)-\w+\.json")


def state_folder(root: Path, cloud: str, deployment: str) -> Path:
    """``root/<cloud>/<deployment>``; raises `UsageError` for a name that cannot be a folder's.

    `root` is usually ``.vpngw/state``. A symbolic link below it is refused, since it leads out of it.
    """
    folder = root / checked_name(cloud, "cloud") / checked_name(deployment)
    for place in (folder.parent, folder):
        if _is_link(place):
            raise StateError(
                f"{place} is a symbolic link that leads out of {root}; states are never kept there.",
                advice="Move the folder that it leads to into its place.",
                location=str(place),
            )
    return folder


def _is_link(place: Path) -> bool:
    try:
        return place.is_symlink()
    except OSError as error:
        if is_denied(error):
            told = f"The state folder {place} cannot be opened: permission denied; {owned(place)}."
            raise StateDenied(told, advice="Run as its owner, or name another state (--state).") from error
        told = f"The state folder {place} cannot be opened: {error.strerror or error}."
        raise StateError(told, advice="Name another folder with --state.", location=str(place)) from error


class FileStore(Store):
    """One deployment's state in a folder that only its owner can read."""

    def __init__(
        self, folder: Path, deployment: str, binding: Binding | None = None, *, utc: Callable[[], str] = utc_now
    ) -> None:
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow the links that are refused
        self.url = self.folder.as_uri()
        self.document_name = str(self.folder / _DOCUMENT)
        self._files = Folder(self.folder)
        self._lock = FolderLock(self._files, deployment)
        super().__init__(deployment, binding, self._lock, utc)

    @contextlib.contextmanager
    def locked(self, owner: Owner) -> Iterator[LockedFileStore]:
        """Take the lock for a run; raises `StateLocked` naming who has it. Released on exit, whatever happens."""
        self._files.prepare(_HISTORY, _BACKUPS)
        claim = self._lock.take(owner)
        locked = LockedFileStore(self, self._files, self._lock, claim)
        try:
            yield locked
        finally:
            locked.close()
            with contextlib.suppress(StateError):  # the system's lock ends all the same; what came before is told
                self._lock.give_back(claim)

    def unlock(self) -> Owner | None:
        """Break the lock; returns whose it was. A living holder finds out at its next write."""
        return self._lock.unlock()

    def prepare(self) -> PreparedPlace:
        """Make the private folder; its key stays in it, as private as the rest."""
        known = self.folder.is_dir()
        self._files.prepare(_HISTORY, _BACKUPS)
        return PreparedPlace(made=() if known else (f"the folder {self.folder}, for its owner alone",))

    def backups(self) -> Sequence[str]:
        """Paths of the kept copies, relative to the folder, newest first."""
        return tuple(reversed(self._files.names(_BACKUPS)))

    # what `load_state` reads

    def document(self) -> bytes | None:
        """The checkpoint document."""
        return self._files.read(_DOCUMENT)

    def journals(self, after: int) -> Sequence[tuple[str, bytes]]:
        """Journals that may hold later records. The live one is read first: it may be closed while we read."""
        live = self._files.read(_JOURNAL)
        if live and not live.endswith(b"\n"):  # a running apply may be in the middle of a line: look when it is not
            with contextlib.suppress(StateError), self._files.guarded():  # a folder that we may only read has no guard
                live = self._files.read(_JOURNAL)
        matches = (_SEGMENT.fullmatch(name) for name in self._files.names(_HISTORY))
        closed = [match[0] for match in matches if match and int(match[2]) > after]
        found = [*((name, self._files.read(name)) for name in closed), (_JOURNAL, live)]
        return [(str(self.folder / name), data) for name, data in found if data is not None]

    def _read_key(self) -> tuple[str, bytes | None]:
        return str(self.folder / _KEY), self._files.read(_KEY)

    def _write_key(self, data: bytes) -> None:
        self._files.prepare()
        with self._files.guarded():
            if self._files.read(_KEY) is None:
                self._files.replace(_KEY, [data + b"\n"])


class LockedFileStore(LockedStoreBase):
    """The lock of a folder, held."""

    store: FileStore

    def __init__(self, store: FileStore, files: Folder, lock: FolderLock, claim: FileLock) -> None:
        left = f"Stale lock of {claim.left_by.describe()} taken over: that process is gone." if claim.left_by else ""
        super().__init__(store, left)
        self._files = files
        self._lock = lock
        self._claim = claim
        self._journal: int | None = None
        self._size = 0

    def close(self) -> None:
        """Close the journal, too."""
        super().close()
        self._shut()

    def _shut(self) -> None:
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def _ours(self) -> contextlib.AbstractContextManager[None]:
        return self._lock.ours(self._claim)

    def _write_record(self, line: bytes) -> None:
        descriptor = self._open_journal()
        status = os.fstat(descriptor)
        if status.st_nlink == 0 or status.st_size != self._size:
            raise StateError(
                f"{self.store.folder / _JOURNAL} was changed by something else while this run had the lock.",
                advice="Nothing more is started. Keep a copy of the folder; `vpngw plan` says what is damaged.",
            )
        try:
            written = os.write(descriptor, line)
            while written < len(line):
                written += os.write(descriptor, line[written:])
            os.fsync(descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, self._size)
            raise StateError(
                f"The journal {self.store.folder / _JOURNAL} cannot be written: {error.strerror}.",
                advice="Make room or check the disk; nothing that is not in the journal was started.",
            ) from error
        self._size += len(line)

    def _open_journal(self) -> int:
        """The live journal, its torn last line cut off, its end of line complete."""
        if self._journal is not None:
            return self._journal
        journal = read_journal(_JOURNAL, self._files.read(_JOURNAL) or b"")
        descriptor = self._journal = self._files.open(_JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with self._files.explained("written"):
            if journal.torn:
                os.ftruncate(descriptor, journal.whole)
            elif journal.unended:
                os.write(descriptor, b"\n")
            os.fsync(descriptor)
        self._files.sync()
        self._size = os.fstat(descriptor).st_size
        return descriptor

    def _write_document(self, parts: Iterable[bytes], last: int) -> None:
        self._files.clear_temporary()
        kept = {int(match[1]): name for name in self.store.backups() if (match := _BACKUP.fullmatch(name))}
        at = re.sub(r"[-:]|\.\d+", "", self.store.utc())
        name = f"{_BACKUPS}/state-{max(kept, default=0) + 1:06d}-{at}.json"
        self._files.replace(_DOCUMENT, parts, keep_as=name)
        self._close_journal()
        for old in sorted(kept, reverse=True)[_KEPT - 1 :]:
            self._files.remove(kept[old])

    def _close_journal(self) -> None:
        """Move the live journal, all of which is in the document now, into the history."""
        if self._files.ends(_JOURNAL) is None:
            return
        self._open_journal()
        self._shut()
        if (ends := self._files.ends(_JOURNAL)) is not None:
            first, last = (load_journal(line).records[0].number for line in ends)
            self._files.move(_JOURNAL, f"{_HISTORY}/{first:010d}-{last:010d}.jsonl")

    def _set_aside(self) -> int:
        highest = highest_number(self.store)
        number = sum("damaged" in name for name in self.store.backups()) + 1
        for name, load in ((_DOCUMENT, load_checkpoint), (_JOURNAL, load_journal)):
            data = self._files.read(name)
            if data is not None and is_damaged(load, data):
                self._files.move(name, f"{_BACKUPS}/damaged-{number:06d}-{name}")
        return highest
