"""Typed arrows are checked before anything runs: correct use passes mypy --strict, misuse is refused line by line."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from mypy import api

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".mypy_cache" / "typing"


@cache
def problems() -> tuple[tuple[str, int, str], ...]:
    """(file, line, code) of every error that mypy reports on both files."""
    files = [str(HERE / name) for name in ("correct.py", "misuse.py")]
    output, crash, _ = api.run(
        ["--config-file", str(HERE / "strict.toml"), "--cache-dir", str(CACHE), "--no-pretty", *files]
    )
    assert crash == ""
    found = re.findall(r"^(\S+?):(\d+): error: .*\[([a-z-]+)\]$", output, re.MULTILINE)
    assert found, output
    return tuple((Path(file).name, int(line), code) for file, line, code in found)


def test_correct_use_of_references_passes() -> None:
    assert [problem for problem in problems() if problem[0] == "correct.py"] == []


def test_every_misuse_is_refused_on_its_line() -> None:
    lines = (HERE / "misuse.py").read_text(encoding="utf-8").splitlines()
    marks = (re.search(r"# refused: ([a-z-]+)$", line) for line in lines)
    expected = {(number, mark[1]) for number, mark in enumerate(marks, start=1) if mark}

    assert expected == {(line, code) for file, line, code in problems() if file == "misuse.py"}
    assert len(expected) > 7
