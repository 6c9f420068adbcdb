"""Every recording through the simulator: status, headers that matter, error codes, body. Deviations are documented."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.simulator.deviations import unknown
from tests.simulator.replay import TOTALS, Replay

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("VPNGW_RECORDINGS") or ROOT.parent / "shared" / "recordings")
NO_SEQUENCE = "errors_bundle"
"""Recordings that are single exchanges cut out of many sessions."""


def recordings() -> list[Path]:
    return [file for file in sorted(FOLDER.glob("*.jsonl")) if not file.stem.startswith(NO_SEQUENCE)]


@pytest.mark.recordings
def test_there_are_recordings_to_replay() -> None:
    if not recordings() and os.environ.get("VPNGW_REQUIRE_RECORDINGS") != "1":
        pytest.skip(f"No recordings in {FOLDER}; set VPNGW_RECORDINGS to the folder that has them.")

    assert recordings()


@pytest.mark.recordings
@pytest.mark.parametrize("file", recordings(), ids=lambda file: file.stem)
def test_the_simulator_answers_like_the_recording(file: Path) -> None:
    replay = Replay(file.stem)

    deviations = replay.run(file)

    unexplained = unknown(deviations)
    TOTALS.add(replay.compared, len(unexplained), len(deviations) - len(unexplained))
    assert [str(deviation) for deviation in unexplained] == []
