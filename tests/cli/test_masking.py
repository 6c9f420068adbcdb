"""In GitHub Actions the runner is told each secret before anything else could show it; nobody else ever is."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.cli.conftest import CANARY, Shell, start

TOLD = f"::add-mask::{CANARY}"


def in_actions() -> dict[str, str]:
    return dict(os.environ) | {"GITHUB_ACTIONS": "true"}


def test_the_runner_is_told_a_value_before_the_call_that_carries_it(vpngw: Shell) -> None:
    with start("apply", "hub.yaml", "--yes", "--json", env=in_actions()) as process:
        out, err = process.communicate(timeout=60)

    lines = err.splitlines()
    assert process.returncode == 0
    assert TOLD in lines
    first = next(
        number for number, line in enumerate(lines) if "VpnConnection/vgw-hub/berlin" in line and "started" in line
    )
    assert lines.index(TOLD) < first
    assert CANARY not in "".join(line for line in lines if line != TOLD)
    assert json.loads(out)["outcome"] == "succeeded"
    assert CANARY not in out


def test_a_file_that_keeps_stderr_keeps_no_value(vpngw: Shell, tmp_path: Path) -> None:
    kept = tmp_path / "run.log"
    with kept.open("w") as stderr, start("apply", "hub.yaml", "--yes", env=in_actions(), stderr=stderr) as process:
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert "VpnConnection/vgw-hub/berlin" in kept.read_text()
    assert CANARY not in kept.read_text()


def test_elsewhere_nobody_is_told(vpngw: Shell) -> None:
    with start("apply", "hub.yaml", "--yes", env=dict(os.environ)) as process:
        out, err = process.communicate(timeout=60)

    assert process.returncode == 0
    assert CANARY not in out + err
