"""Reading what people give us: text as they meant it, and one sentence with the way out where it cannot be read.

A byte order mark and the line ends of Windows are no part of a text. Knows files and encodings, and nothing of what
is in them: no message repeats any content.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import select
import stat
import sys
import time
from pathlib import Path

from vpngw_iac.errors import FileDenied, VpngwError

LIMIT = 64 * 1024 * 1024
"""Bytes; nobody writes a blueprint, a key or a certificate of that size."""

PATIENCE = 30.0
"""Seconds that a pipe may be silent."""

_DENIED = (errno.EACCES, errno.EPERM)
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip --keep"),
    b"PK\x03\x04": ("zip", "unzip"),
    b"BZh": ("bzip2", "bunzip2 --keep"),
    b"\xfd7zXZ\0": ("xz", "unxz --keep"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
}
"""The first bytes of packed files, and how each is unpacked beside itself."""


class UnreadableFile(Exception):
    """A file that cannot be read: why, as a sentence's end, and what to do. Each caller makes its own error of it."""

    def __init__(self, reason: str, advice: str = "", *, denied: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice
        self.denied = denied

    def as_error(self, kind: type[VpngwError], what: str, path: Path | str, advice: str = "") -> VpngwError:
        """The error to raise: `FileDenied` where the operating system denies it, else one of the caller's kind."""
        if self.denied:
            return denied(what, path, "read")
        return kind(f"{what} cannot be read: {self.reason}.", advice=self.advice or advice, location=str(path))


def read_text(path: Path, *, pipe: bool = False) -> str:
    r"""The text of a file: UTF-8, without byte order mark, ``\\n`` after each line. Raises `UnreadableFile`.

    With `pipe` it may also be what a process writes, as in ``--env-file <(command)``.
    """
    return text_of(read_bytes(path, pipe=pipe), path)


def read_bytes(path: Path, *, pipe: bool = False) -> bytes:
    """The bytes of a plain file. Raises `UnreadableFile` for everything else, and never waits for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise _why(error) from None
    except ValueError:
        raise UnreadableFile("its name holds a NUL character") from None
    try:
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode) and not (pipe and (stat.S_ISFIFO(mode) or str(path) == os.devnull)):
                raise UnreadableFile(f"it is {_kind(mode)}, not a file")
            data = _drained(descriptor) if stat.S_ISFIFO(mode) else file.read(LIMIT + 1) or b""
    except OSError as error:
        raise _why(error) from None
    if len(data) > LIMIT:
        raise UnreadableFile(f"it is larger than {LIMIT // 1024 // 1024} MiB")
    return data


def text_of(data: bytes, path: Path | str = "FILE") -> str:
    """Bytes as text. Raises `UnreadableFile` that says what they probably are, and how to make text of them."""
    for start, (packer, unpack) in _PACKED.items():
        if data.startswith(start):
            raise UnreadableFile(f"it is packed by {packer}", f"Unpack it: `{unpack} {path}`, and name what comes out.")
    if data.startswith(_UTF32):
        raise UnreadableFile("it is UTF-32 text, not UTF-8", _convert("UTF-32", path))
    if data.startswith(_UTF16) or _is_wide(data):
        raise UnreadableFile("it is UTF-16 text, not UTF-8", _convert("UTF-16", path))
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise UnreadableFile(f"there is a NUL byte in line {line}: it is not text", "Check that it is the right file.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        what = f"it is not UTF-8 text (line {line}); it may be Latin-1"
        raise UnreadableFile(what, _convert("LATIN1", path)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def kind_of(path: Path | str) -> str:
    """``file``, ``folder``, ``nothing`` (there) or ``other``; raises `FileDenied` where that cannot be seen."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - one question, and no opinion on what an error means
    except OSError as error:
        if is_denied(error):
            raise denied(f"{path}", path, "opened") from None
        return "nothing"
    except ValueError:
        return "nothing"
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def denied(what: str, path: Path | str, done: str) -> FileDenied:
    """The error of a file or folder that the operating system keeps from us, with its owner."""
    return FileDenied(
        f"{what} cannot be {done}: permission denied; {owned(path)}.",
        advice="Run as that user, or let this one in (chown, chmod).",
        location=str(path),
    )


def owned(path: Path | str) -> str:
    """Whose the path is, or the nearest folder above it that can be seen; in words."""
    place = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() asks what may be denied
    for candidate in (place, *place.parents):
        with contextlib.suppress(OSError, ValueError):
            found = candidate.lstat()
            if stat.S_ISLNK(found.st_mode):
                with contextlib.suppress(OSError):
                    found = candidate.stat()
            return f"{candidate} belongs to {user_name(found.st_uid)} (mode {stat.S_IMODE(found.st_mode):04o})"
    return f"{place} cannot be seen"


def user_name(number: int) -> str:
    """The name of a user, or the number of one without a name."""
    if sys.platform != "win32":
        import pwd

        with contextlib.suppress(KeyError):
            return pwd.getpwuid(number).pw_name
    return f"user {number}"


def is_denied(error: OSError) -> bool:
    """Whether the operating system refuses because of who we are."""
    return error.errno in _DENIED


def open_to_all(path: Path | str) -> bool:
    """Whether every user of this machine may read the file."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return sys.platform != "win32" and stat.S_ISREG(mode) and bool(mode & stat.S_IROTH)


def first_link(path: Path) -> Path | None:
    """The first symbolic link on the way to an absolute path; what the system itself has in its root does not count."""
    place = Path(path.anchor)
    for depth, part in enumerate(path.parts[1:]):
        place /= part
        with contextlib.suppress(OSError):
            if depth > 0 and place.is_symlink():
                return place
    return None


def _kind(mode: int) -> str:
    names = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((name for test, name in names if test(mode)), "something else")


def _drained(descriptor: int) -> bytes:
    """All that is written into a pipe until its writer closes it."""
    found, give_up = b"", time.monotonic() + PATIENCE
    while len(found) <= LIMIT:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, give_up - time.monotonic()))
        if not ready:
            raise UnreadableFile(f"nothing came out of the pipe for {PATIENCE:g} seconds")
        piece = os.read(descriptor, 65536)
        if not piece:
            break
        found, give_up = found + piece, time.monotonic() + PATIENCE
    return found


def _is_wide(data: bytes) -> bool:
    """Whether it is UTF-16 without a byte order mark: every other byte of what is mostly ASCII is zero."""
    sample = data[:2000]
    half = len(sample) // 2
    return half > 1 and max(sample[0::2].count(0), sample[1::2].count(0)) > half * 0.8


def _convert(encoding: str, path: Path | str) -> str:
    return f"Save it as UTF-8: `iconv -f {encoding} -t UTF-8 {path} > NEW`, or in your editor."


def _why(error: OSError) -> UnreadableFile:
    if is_denied(error):
        return UnreadableFile("permission denied", denied=True)
    if error.errno == errno.ENXIO:
        return UnreadableFile("it is a socket or a pipe, not a file")
    if error.errno == errno.EISDIR:
        return UnreadableFile("it is a folder, not a file")
    return UnreadableFile(error.strerror or str(error))


def refused_by_system(error: OSError) -> VpngwError:
    """What the operating system refuses is not a bug: the file, its owner, and why."""
    what = str(error.filename or "A file")
    if is_denied(error) and error.filename:
        return denied(what, what, "used")
    why = error.strerror or str(error) or type(error).__name__
    return VpngwError(f"{what} cannot be used: {why}.", advice="Check the path, its permissions and the free space.")
