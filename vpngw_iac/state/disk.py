"""A private folder on disk: every file 0600, every replacement atomic and durable, no symbolic link ever followed.

Knows files, locks of the operating system and nothing of states.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from vpngw_iac.errors import StateDenied, StateError
from vpngw_iac.files import is_denied, owned

if sys.platform == "win32":  # pragma: no cover - Windows
    import msvcrt
else:
    import fcntl

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_TEMPORARY = ".writing-"
_BLOCK = 64 * 1024
_NOT_OURS = (
    "The state folder is private: run as its owner, let this user in (chown -R), or name a state of your own (--state)."
)
_UNWRITABLE = "Check the permissions and the free space of the state folder; nothing was lost."
_GONE = (
    "The state folder is not there any more: put it back, or `vpngw state rebuild FILE` makes a new one from what "
    "Azure has. What runs in Azure goes on."
)


class Folder:
    """One folder and the files in it; names are relative and may name one sub-folder (``history/x.jsonl``)."""

    def __init__(self, path: Path, *, patience: float = 10.0) -> None:
        """`patience` is how many seconds to wait for another process that is in the middle of one write."""
        self.path = path
        self._patience = patience
        self._inside = threading.local()

    def prepare(self, *subfolders: str) -> None:
        """Make the folder (0700) and its sub-folders, tighten what is there, remove what a killed write left."""
        with self.explained("prepared"):
            for folder in (self.path, *(self.path / name for name in subfolders)):
                self._refuse_link(folder)
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _tighten(folder, 0o700)
                for file in sorted(folder.iterdir()):
                    if file.is_file() and not file.is_symlink():
                        _tighten(file, 0o600)

    def clear_temporary(self) -> None:
        """Remove what a killed write left behind; only while no other process writes."""
        with self.explained("tidied"):
            for leftover in self.path.glob(f"{_TEMPORARY}*"):
                leftover.unlink(missing_ok=True)

    def read(self, name: str) -> bytes | None:
        """The file's bytes, None if there is no such file."""
        path = self.checked(name)
        with self.explained("read"):
            try:
                descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW)
            except FileNotFoundError:
                return None
            with os.fdopen(descriptor, "rb") as file:
                return file.read()

    def open(self, name: str, flags: int) -> int:
        """A descriptor of a regular file that lies in this folder; raises `StateError` for a link."""
        path = self.checked(name)
        with self.explained("opened"):
            return os.open(path, flags | _NO_FOLLOW, 0o600)

    def checked(self, name: str) -> Path:
        """The path of a name, refused if it leads out of the folder or anything on the way is not a plain file."""
        path = self.path / name
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise StateError(f"{name} leads out of the state folder {self.path}.", location=str(path))
        for folder in {self.path, path.parent}:
            self._refuse_link(folder)
        mode = self._mode(path)
        if mode is not None and not stat.S_ISREG(mode):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "not a plain file"
            raise StateError(
                f"{path} is {what}; states are never kept there.",
                advice="Remove it, or move what it leads to into its place.",
                location=str(path),
            )
        return path

    def replace(self, name: str, parts: Iterable[bytes], *, keep_as: str | None = None) -> None:
        """Write the whole file: after a crash the old or the new one is there. `keep_as` names a copy of the old."""
        target = self.checked(name)
        with self.explained("written"):
            descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=self.path)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.writelines(parts)
                    file.flush()
                    os.fsync(file.fileno())
                if keep_as is not None and target.exists():
                    self._copy(target, self.checked(keep_as))
                Path(temporary).replace(target)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._sync(self.path)

    def move(self, name: str, to: str) -> None:
        """Rename a file within the folder; what has the new name already is never overwritten."""
        source, target = self.checked(name), self.checked(to)
        with self.explained("moved"):
            if target.exists():
                raise StateError(f"{target} exists already; {source} is not moved over it.", location=str(target))
            source.rename(target)
            self._sync(target.parent)
            self._sync(self.path)

    def ends(self, name: str) -> tuple[bytes, bytes] | None:
        """First and last line of a file, without reading what is between them; None where it is absent or empty."""
        if not self.has(name):
            return None
        with os.fdopen(self.open(name, os.O_RDONLY), "rb") as file, self.explained("read"):
            first = file.readline()
            return (first, _last_line(file)) if first else None

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        with self.explained("removed"):
            self.checked(name).unlink(missing_ok=True)

    def names(self, subfolder: str) -> list[str]:
        """Names of the files in a sub-folder, sorted, hidden ones left out."""
        folder = self.path / subfolder
        self._refuse_link(folder)
        with self.explained("listed"):
            if not folder.is_dir():
                return []
            return sorted(f"{subfolder}/{found}" for found in os.listdir(folder) if not found.startswith("."))  # noqa: PTH208

    def sync(self) -> None:
        """Make the names in the folder durable."""
        with self.explained("synchronised"):
            self._sync(self.path)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """A short section that no other thread or process is in; a thread may enter it again from within."""
        if getattr(self._inside, "guard", False):
            yield
            return
        descriptor = self.open("guard", os.O_RDWR | os.O_CREAT)
        try:
            give_up = time.monotonic() + self._patience
            while not self._try_lock(descriptor):
                if time.monotonic() > give_up:
                    raise StateError(
                        f"Another process has been writing in {self.path} for {self._patience:g} seconds.",
                        advice="A stopped or hanging vpngw process is in the middle of a write: continue or end it.",
                        location=str(self.path),
                    )
                time.sleep(0.002)
            self._inside.guard = True
            yield
        finally:
            self._inside.guard = False
            os.close(descriptor)

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return self._mode(self.path / name) is not None

    def _mode(self, path: Path) -> int | None:
        with self.explained("looked at"):
            return _mode(path)

    def _try_lock(self, descriptor: int) -> bool:
        with self.explained("locked"):
            return try_lock(descriptor)

    def _refuse_link(self, folder: Path) -> None:
        mode = self._mode(folder)
        if mode is not None and not stat.S_ISDIR(mode):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "not a folder"
            raise StateError(
                f"The state folder {folder} is {what}; states are never kept there.",
                advice="Name the folder itself, or move what is there into its place.",
                location=str(folder),
            )

    def _copy(self, source: Path, target: Path) -> None:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file, source.open("rb") as kept:
            shutil.copyfileobj(kept, file)
            file.flush()
            os.fsync(file.fileno())
        self._sync(target.parent)

    @staticmethod
    def _sync(folder: Path) -> None:
        if sys.platform == "win32":  # pragma: no cover - Windows syncs no folders
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def explained(self, done: str) -> Iterator[None]:
        """Errors of the operating system as `StateError`: which file it complains about, and what."""
        try:
            yield
        except OSError as error:
            place = error.filename or self.path
            if is_denied(error):
                told = f"{place} cannot be {done}: permission denied; {owned(place)}."
                raise StateDenied(told, advice=_NOT_OURS, location=str(place)) from error
            gone = isinstance(error, FileNotFoundError) and not self.path.exists()
            raise StateError(
                f"{place} cannot be {done}: {error.strerror or error}.",
                advice=_GONE if gone else _UNWRITABLE,
                location=str(place),
            ) from error


def try_lock(descriptor: int) -> bool:
    """Take the operating system's lock on an open file without waiting; it ends with the descriptor or the process."""
    if sys.platform == "win32":  # pragma: no cover - Windows
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _last_line(file: IO[bytes]) -> bytes:
    """What stands after the last line break but that at the very end."""
    start, tail = file.seek(0, os.SEEK_END), b""
    while start and b"\n" not in tail[:-1]:
        size = min(start, _BLOCK)
        start = file.seek(start - size)
        tail = file.read(size) + tail
    return tail[tail.rfind(b"\n", 0, -1) + 1 :]


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _tighten(path: Path, mode: int) -> None:
    with contextlib.suppress(FileNotFoundError):  # another process's temporary file, renamed meanwhile
        if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
