"""The files that people copy pass a strict type checker that knows no pydantic plugin, as editors do."""

from __future__ import annotations

from mypy import api

from tests.blueprints.samples import ROOT

CACHE = ROOT / ".mypy_cache" / "people"


def test_every_blueprint_file_passes_mypy_strict_without_a_plugin() -> None:
    files = [str(path) for path in sorted((ROOT / "blueprints").glob("*.py"))]

    output, crash, _ = api.run(
        ["--config-file=", "--strict", "--follow-imports=silent", "--no-pretty", f"--cache-dir={CACHE}", *files]
    )

    assert crash == ""
    assert [line for line in output.splitlines() if line.startswith(str(ROOT / "blueprints"))] == []
    assert files
