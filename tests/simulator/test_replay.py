"""Every recording through the simulator: status, headers that matter, error codes, body. Deviations are documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recordings.exchange import per_file, tell, there
from tests.simulator.deviations import unknown
from tests.simulator.replay import Replay
from tests.summary import Summary


@pytest.mark.recordings
@per_file()
def test_the_simulator_answers_like_the_recording(file: Path | None, summary: Summary) -> None:
    file = there(file, summary)
    replay = Replay(file.stem)

    deviations = replay.run(file)

    unexplained = unknown(deviations)
    tell(summary, replay_deviations=len(unexplained))
    summary.row(
        "recordings replayed on the simulator",
        file.stem,
        f"{replay.compared} answers, {len(deviations) - len(unexplained)} documented deviations",
    )
    assert [str(deviation) for deviation in unexplained] == []
