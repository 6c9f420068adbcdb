"""Being another user for a while: mode bits mean nothing to root, who runs the tests in many places.

The effective user of the process is changed, after everything that may be imported has been: the interpreter's own
files may be closed to that user.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import vpngw_iac

NOBODY = 4711
"""A user without a name."""

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)


def _import_everything() -> None:
    for module in pkgutil.walk_packages(vpngw_iac.__path__, "vpngw_iac."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("pwd", "dotenv.parser", "azure.identity", "encodings.idna", "rich.progress", "rich.live"):
        importlib.import_module(name)


def let_through(folder: Path) -> None:
    """Open a folder of pytest, and those above it, so that another user can come to it."""
    for place in (folder, *folder.parents):
        if place.stat().st_uid == 0 and len(place.parts) > 2:
            place.chmod(place.stat().st_mode | 0o755)


@contextmanager
def another_user(number: int = NOBODY) -> Iterator[None]:
    """Inside, files are opened with the rights of that user."""
    _import_everything()
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(number)
    os.seteuid(number)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
