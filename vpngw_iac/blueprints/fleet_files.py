"""Which files a fleet is made of: files, folders and patterns, as people name them."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from vpngw_iac.errors import UsageError
from vpngw_iac.files import kind_of

SUFFIXES = (".py", ".yaml", ".yml", ".json")
_WILD = frozenset("*?[")


def files_of(targets: Iterable[str]) -> tuple[str, ...]:
    """The files that targets stand for, each once, in the order in which they are named; ``hub.py:NAME`` stays.

    A folder stands for the blueprint files directly in it but for those whose name begins with ``.`` or ``_``
    (``_common.py`` is what others import); a pattern (``hubs/**/*.py``) for what it matches. Raises `UsageError` for a
    folder or pattern without such a file; whether another target is a file is found out when it is loaded.
    """
    found: dict[str, str] = {}
    for target in targets:
        for file in _files(target):
            found.setdefault(_same(file), file)
    return tuple(found.values())


def is_several(target: str) -> bool:
    """Whether a target is a folder or a pattern, which may stand for any number of files."""
    return kind_of(Path(target)) == "folder" or _is_pattern(target)


def _files(target: str) -> list[str]:
    if kind_of(Path(target)) == "folder":
        files = sorted(str(path) for path in Path(target).iterdir() if _is_blueprint(path))
        if not files:
            endings = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
            advice = f"Name a folder with {endings} directly in it, or a pattern: '{target}/**/*.py'."
            raise UsageError(f"There is no blueprint file in the folder {target}.", advice=advice)
        return files
    if not _is_pattern(target):
        return [target]
    files = sorted(file for file in glob.glob(target, recursive=True) if _is_blueprint(Path(file)))  # noqa: PTH207 - ** and absolute patterns alike
    if not files:
        raise UsageError(f"No blueprint file matches {target}.", advice="Check the pattern, and quote it.")
    return files


def _is_pattern(target: str) -> bool:
    return bool(_WILD & set(target)) and kind_of(Path(target)) == "nothing"


def _is_blueprint(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.name[0] not in "._" and path.is_file()


def _same(file: str) -> str:
    """The same for each spelling of one file; a name behind it is part of it."""
    return str(Path(file).resolve()) if Path(file).exists() else file
