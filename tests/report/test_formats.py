"""The folder of formats is their registry: a new report is one file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BLUEPRINT = Path(__file__).parents[2] / "blueprints" / "one_site.py"

JUNIT = '''
def render(checked):
    """Findings as JUnit XML."""
    return f'<testsuite name="{checked.file}" tests="{len(checked.findings)}"/>\\n'
'''
ASCII = '''
def render(drawing):
    """The boxes, one a line."""
    return "".join(f"[{box.title}]\\n" for box in drawing.boxes)
'''
PROBE = """
import importlib, sys
folder, where, *arguments = sys.argv[1:]
importlib.import_module(f"vpngw_iac.report.{folder}").__path__.append(where)
from vpngw_iac.cli.app import run
code = run(arguments)
sys.stdout.flush()
print(*sorted(name for name in sys.modules if name.startswith("vpngw_iac.report.")), file=sys.stderr)
sys.exit(code)
"""


def _vpngw(folder: str, where: Path, *arguments: str) -> tuple[str, set[str]]:
    """What a command says, and the reports that it loads, where a folder of formats has another file."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, folder, str(where), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout, set(done.stderr.split())


@pytest.mark.parametrize(
    ("folder", "name", "source", "command", "said"),
    [
        ("findings", "junit", JUNIT, "validate", f'<testsuite name="{BLUEPRINT}" tests="'),
        ("pictures", "ascii", ASCII, "graph", "[vgw-office]\n"),
    ],
)
def test_a_file_in_the_folder_is_a_format(
    tmp_path: Path, folder: str, name: str, source: str, command: str, said: str
) -> None:
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")

    answer, _ = _vpngw(folder, tmp_path, command, str(BLUEPRINT), "--format", name)
    described, loaded = _vpngw(folder, tmp_path, command, "--help")

    assert said in answer
    assert f"|{name}" in described or f"{name}|" in described
    assert f"vpngw_iac.report.{folder}.{name}" not in loaded


@pytest.mark.parametrize(("options", "form"), [((), "text"), (("--json",), "json"), (("--format", "sarif"), "sarif")])
def test_validate_loads_the_format_that_it_is_asked_for_and_no_other(
    tmp_path: Path, options: tuple[str, ...], form: str
) -> None:
    _, loaded = _vpngw("findings", tmp_path, "validate", str(BLUEPRINT), *options)

    assert {name for name in loaded if name.startswith("vpngw_iac.report.findings.")} == {
        f"vpngw_iac.report.findings.{form}"
    }
    assert "vpngw_iac.report.json" not in loaded
