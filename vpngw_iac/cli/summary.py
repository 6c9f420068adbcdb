"""In GitHub Actions plan and drift also appear on the page of the run."""

from __future__ import annotations

from pathlib import Path

from vpngw_iac.cli.run import Run
from vpngw_iac.report.markdown_limit import SUMMARY_BYTES, in_bytes, limited

CUT = "*Cut here: the page of a run takes no more. The log and the saved plan have everything.*"


def add_to_summary(run: Run, *parts: str) -> None:
    """Append Markdown to ``$GITHUB_STEP_SUMMARY``, if there is one; that it cannot be written is not a failure.

    GitHub drops a summary whole that is too long: what does not fit beside what is there already is cut.
    """
    path = run.settings.environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        there = Path(path).stat().st_size if Path(path).exists() else 0
        room = SUMMARY_BYTES - there
        text = limited("\n".join(parts) + "\n", room, CUT, in_bytes)
        if room < len(CUT) + 8:
            return
        with Path(path).open("a", encoding="utf-8") as page:
            page.write(text)
    except OSError as error:
        run.say(f"The job summary cannot be written: {error.strerror}.")
