"""In GitHub Actions plan and drift also appear on the page of the run."""

from __future__ import annotations

from pathlib import Path

from vpngw_iac.cli.run import Run


def add_to_summary(run: Run, *parts: str) -> None:
    """Append Markdown to ``$GITHUB_STEP_SUMMARY``, if there is one; that it cannot be written is not a failure."""
    path = run.settings.environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8") as page:
            page.write("\n".join(parts) + "\n")
    except OSError as error:
        run.say(f"The job summary cannot be written: {error.strerror}.")
