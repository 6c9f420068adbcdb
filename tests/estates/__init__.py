"""Estates: what people really have, as Azure answers it; a folder of JSON files that is not part of the project.

``VPNGW_ESTATES`` names the folder. Each file has ``name``, ``source``, ``why``, ``documents`` (what GET answers, in no
particular order) and ``secrets`` (keys by id of the connection). Without them the tests are skipped, or fail where
``VPNGW_REQUIRE_ESTATES=1`` asks for them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("VPNGW_ESTATES") or ROOT.parent / "shared" / "estates")
NOTHING = f"There are no estates in {FOLDER}: set VPNGW_ESTATES to the folder that has them."


def per_estate() -> Any:
    """Runs a test for each estate, or once without one; `estate` then says what is missing."""
    files = sorted(FOLDER.glob("*.json"))
    return pytest.mark.parametrize("file", files or [None], ids=lambda file: file.stem if file else "missing")


def estate(file: Path | None) -> dict[str, Any]:
    """The content of one; without one the test is skipped, or fails where they are required."""
    if file is None and os.environ.get("VPNGW_REQUIRE_ESTATES") == "1":
        pytest.fail(NOTHING)
    if file is None:
        pytest.skip(NOTHING)
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
