"""Where ``vpngw.toml`` is, and whose.

It is looked for upwards from the working directory, to the root of its repository; without a repository up to the home
directory, where a file of another user is not obeyed.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vpngw_iac.errors import FileDenied, UsageError
from vpngw_iac.files import denied, is_denied, owned

CONFIG_FILE = "vpngw.toml"


def working_directory(directory: str | Path = ".") -> Path:
    """The folder as a whole path, without links; raises `UsageError` if it is gone."""
    try:
        return Path(directory).resolve(strict=True)
    except OSError as error:
        if is_denied(error):
            raise denied(f"The working directory {directory}", directory, "opened") from None
        raise UsageError(
            f"The working directory {directory} cannot be opened: {error.strerror or error}.",
            advice="Change to a folder that is there.",
        ) from None
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"The working directory cannot be opened: {error}.") from None


def find_config(directory: Path) -> Path | None:
    """The nearest ``vpngw.toml`` on the way from a folder up to the root of its repository.

    Raises `UsageError` where that name is no file, `FileDenied` where it cannot be seen or is somebody else's.
    """
    home = _home()
    root = next((folder for folder in (directory, *directory.parents) if _has(folder / ".git")), None)
    for folder in (directory, *directory.parents):
        candidate = folder / CONFIG_FILE
        if _has(candidate):
            _check(candidate, directory, in_repository=root is not None)
            return candidate
        if folder in (root, home):
            return None
    return None


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (OSError, RuntimeError):
        return None


def _has(path: Path) -> bool:
    """Whether something has this name, be it a link that leads nowhere."""
    try:
        path.lstat()
    except OSError as error:
        if is_denied(error):
            raise denied(f"The settings file {path}", path, "looked for") from None
        return False
    return True


def _check(path: Path, directory: Path, *, in_repository: bool) -> None:
    try:
        found = path.stat()
    except OSError as error:
        if is_denied(error):
            raise denied(f"The settings file {path}", path, "read") from None
        raise UsageError(
            f"The settings file {path} cannot be read: it is a link that leads nowhere.", advice="Remove or correct it."
        ) from None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "no plain file"
        raise UsageError(f"{path} is {what}; settings stand in a file of that name.", advice=f"Rename {path}.")
    if in_repository or path.parent == directory or not hasattr(os, "geteuid"):
        return
    if found.st_uid not in (0, os.geteuid(), directory.stat().st_uid):
        raise FileDenied(
            f"The settings file {path} is not obeyed: {owned(path)}.",
            advice=f"Copy it into {directory} if it is right, or remove it.",
            location=str(path),
        )
