"""The error of a file that cannot become a blueprint."""

from __future__ import annotations

from pathlib import Path

from vpngw_iac.errors import BlueprintError, Finding, VpngwError
from vpngw_iac.files import UnreadableFile, denied


def broken(path: Path, line: int | None, detail: str, *, rule: str = "T-FILE", advice: str = "") -> BlueprintError:
    """The error that a file cannot become a blueprint, with its one finding."""
    place = f"{path}:{line}" if line else str(path)
    advice = advice or f"Correct {place}."
    finding = Finding(
        rule=rule,
        summary="The file cannot become a blueprint",
        detail=detail,
        advice=advice,
        location=place,
    )
    return BlueprintError(f"{place}: {detail}", findings=[finding], advice=advice, location=place)


def unreadable(path: Path, why: UnreadableFile) -> VpngwError:
    """The error that a file cannot even be read: `FileDenied` with its owner, else one sentence with the way out."""
    if why.denied:
        return denied(f"The blueprint {path}", path, "read")
    return broken(path, None, f"{why.reason[:1].upper()}{why.reason[1:]}.", advice=why.advice)
