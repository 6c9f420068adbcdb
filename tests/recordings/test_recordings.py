"""Real answers are no alarm, and real changes are: every recording, followed from its first line to its last."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recordings.exchange import per_file, tell, there
from tests.recordings.follow import Follow, Tally
from tests.summary import Summary

pytestmark = pytest.mark.recordings


@per_file()
def test_what_azure_answers_is_no_change_and_what_somebody_changed_is_one(file: Path | None, summary: Summary) -> None:
    file = there(file, summary)

    tally = Follow().run(file)

    tell(
        summary,
        exchanges_compared=len(tally.compared),
        false_differences=len(tally.false),
        missed_changes=len(tally.missed),
    )
    for text in _by_reason(tally):
        summary.row("recorded exchanges that were not compared", file.stem, text)
    assert tally.false == []
    assert tally.missed == []


@per_file()
def test_our_models_can_say_every_setting_that_somebody_sent(file: Path | None) -> None:
    file = there(file)

    tally = Follow().run(file)

    assert tally.unsaid == []


def _by_reason(tally: Tally) -> list[str]:
    lines: dict[str, list[str]] = {}
    for skipped in tally.skipped:
        lines.setdefault(skipped.why, []).append(str(skipped.line))
    return [f"{why}: {'lines' if len(at) > 1 else 'line'} {', '.join(at)}" for why, at in lines.items()]
