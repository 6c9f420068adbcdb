"""Golden files: what a report said when somebody last looked at it and found it good.

``VPNGW_UPDATE_EXPECTED=1 pytest tests/report`` writes them anew; the difference is reviewed like code.
"""

from __future__ import annotations

import os
from pathlib import Path

EXPECTED = Path(__file__).parent / "expected"


def check(name: str, actual: str) -> None:
    """Compare with the golden file of this name."""
    path = EXPECTED / name
    if os.environ.get("VPNGW_UPDATE_EXPECTED"):
        path.write_text(actual, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.exists() else "(there is no such golden file)"

    assert expected == actual
