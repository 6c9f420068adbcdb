"""How the program ends: at once, but not before those who asked to be told."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys

class Kept:
    def __del__(self):
        sys.stdout.write("taken apart\\n")

kept = Kept()
atexit.register(lambda: sys.stdout.write("told\\n"))
sys.argv = ["vpngw", *sys.argv[1:]]
from vpngw_iac.__main__ import main
main()
"""


@pytest.mark.parametrize(("arguments", "code"), [(("--version",), 0), (("rule", "R-NONE-99"), 64), (("plan",), 64)])
def test_the_end_is_told_and_nothing_is_taken_apart(arguments: tuple[str, ...], code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False
    )

    assert (code, True, False) == (
        done.returncode,
        done.stdout.endswith("told\n"),
        "taken apart" in done.stdout,
    )
    assert done.stdout.startswith("vpngw ") if code == 0 else done.stderr.startswith("Error")
