"""A saved plan in an artifact of a workflow run, read as what a stranger may have packed: in memory, within limits.

What an artifact is: https://docs.github.com/rest/actions/artifacts. ``plan.yml`` keeps two files in one.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from vpngw_iac.errors import PlanError
from vpngw_iac.files import LIMIT

MOST_PACKED = 32 * 1024 * 1024
"""Bytes of an archive; a plan file packs to a tenth, and has `LIMIT` at most."""

_PLAN = "plan.json"
_KNOWN = (_PLAN, "plan.md")
_HEAD = b"PK\x01\x02"
"""What each entry of a zip archive's directory begins with (PKWARE, APPNOTE.TXT, 4.3.12)."""
_MOST_ENTRIES = 100
"""Told from the bytes: a directory of a million entries is not even read. Packed text may look like one by chance."""
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def plan_in(archive: bytes) -> Mapping[str, Any]:
    """The plan file of an artifact; nothing of it touches the disk. Raises `PlanError` for anything else."""
    try:
        document = json.loads(_text_of(archive))
    except (ValueError, RecursionError):
        raise _damaged("no JSON") from None
    if not isinstance(document, dict) or document.get("kind") != "plan":
        raise _damaged("no saved plan")
    return document


def _text_of(archive: bytes) -> bytes:
    if archive.count(_HEAD) > _MOST_ENTRIES:
        raise _damaged("too many files")
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _read(opened, _entry_of(opened))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, OverflowError):
        raise _damaged("no zip archive that can be read") from None


def _entry_of(opened: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The one entry that is the plan, among none that does not belong there."""
    entries = opened.infolist()
    names = [entry.filename for entry in entries]
    if not set(names) <= set(_KNOWN) or names.count(_PLAN) != 1:
        raise _damaged(f"other files than {' and '.join(_KNOWN)}")
    return entries[names.index(_PLAN)]


def _read(opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.flag_bits & 1 or entry.compress_type not in _PLAIN:
        raise _damaged("a file that is encrypted, or packed in another way")
    with opened.open(entry) as file:
        data = file.read(LIMIT + 1)  # whatever size the archive claims
    if len(data) > LIMIT:
        raise _damaged(f"a plan of more than {LIMIT // 1024 // 1024} MiB")
    return data


def _damaged(what: str) -> PlanError:
    return PlanError(f"The artifact of the plan holds {what}.", advice="Plan again, and have the new plan reviewed.")
