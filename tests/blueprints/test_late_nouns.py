"""Nouns that no file has needed so far are loaded when an error speaks of them."""

from __future__ import annotations

import subprocess
import sys


def test_every_noun_is_known_to_errors() -> None:
    script = "from vpngw_iac.blueprints.part import Part, nouns; print('Circuit' in Part.models, 'Circuit' in nouns())"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == ["False", "True"]
