"""Every example and every snippet that shows an output is executed on the simulator: documentation cannot rot.

``VPNGW_WRITE_EXPECTED=1 pytest tests/test_examples.py`` writes examples/expected/ and the plan of the README again.
Needs nothing but the installed package, so that CI runs it against the wheel, too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
EXPECTED = EXAMPLES / "expected"
WRITE = os.environ.get("VPNGW_WRITE_EXPECTED") == "1"


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not re.match("VPNGW_|AZURE_|ARM_|GITHUB_", name)}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "VPNGW_SIMULATOR_SPEED": "1200", "NO_COLOR": "1", **more}


def execute(*command: str | Path, cwd: Path, code: int = 0, **variables: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert code == done.returncode, f"{command}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def told(text: str) -> str:
    """What does not depend on the machine, the moment or luck."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", lambda m: m[0] if m[0][:8] == "0" * 8 else "<id>", text)
    text = re.sub(r"20\.64\.0\.\d+", "20.64.0.x", text)  # which address is free depends on who asked first
    text = re.sub(r"(file://)?/\S*/(?=\.vpngw|blueprints/|examples/)", lambda m: (m[1] or "") and "file://…/", text)
    text = re.sub(r"(?<= in )\d+ (min|s|h)\b( \d+ (min|s)\b)?", "…", text)
    text = re.sub(r"\d+ (min|s)\b( \d+ s\b)? so far", "… so far", text)
    text = re.sub(r"(?<=in )[\d.]+ [kM]?B, out [\d.]+ [kM]?B", "…", text)
    text = re.sub(r"(?<=since )\S+ \S+ UTC", "…", text)
    text = re.sub(r"\d+( of \d+ tunnels? up).*", r"…\1", text)
    return text.rstrip() + "\n"


def compare(name: str, output: str) -> None:
    file = EXPECTED / name
    if WRITE:
        file.write_text(output, encoding="utf-8")
        pytest.skip(f"{name} was written")
    assert file.read_text(encoding="utf-8") == output


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> str:
    printed = execute("sh", EXAMPLES / "demo.sh", cwd=tmp_path_factory.mktemp("demo"))
    assert "\x1b" not in printed, "nobody sees colours in a pipe"
    output = told(printed)
    return re.sub(r"(?<=\S) {2,}", "  ", output)  # columns are as wide as the longest address


def test_the_demo_shows_a_hub_s_whole_life(demo: str) -> None:
    compare("demo.txt", demo)


def test_the_readme_shows_what_the_demo_prints(demo: str) -> None:
    shown = block("demo", (ROOT / "README.md").read_text(encoding="utf-8"))
    rest = demo

    for line in (line for line in told(shown).splitlines() if line):
        assert line in rest, line
        rest = rest.partition(line)[2]


def test_embedding_plans_applies_and_hears_every_event(tmp_path: Path) -> None:
    output = execute(sys.executable, EXAMPLES / "plan_and_apply.py", cwd=tmp_path)

    # What runs side by side ends in any order.
    compare("plan_and_apply.txt", "".join(sorted(output.splitlines(keepends=True))))


def test_a_fleet_is_planned_from_a_csv_file(tmp_path: Path) -> None:
    compare(
        "fleet_from_csv.txt", told(execute("vpngw", "plan", EXAMPLES / "fleet_from_csv.py", cwd=tmp_path, **OFFLINE))
    )


def test_a_row_less_in_the_csv_file_is_a_site_less_in_azure(tmp_path: Path) -> None:
    for name in ("fleet_from_csv.py", "sites.csv"):
        shutil.copy(EXAMPLES / name, tmp_path)
    execute("vpngw", "apply", "fleet_from_csv.py", "--yes", cwd=tmp_path, **OFFLINE)
    rows = (tmp_path / "sites.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "sites.csv").write_text("".join(rows[:-1]), encoding="utf-8")

    output = execute("vpngw", "plan", "fleet_from_csv.py", cwd=tmp_path, **OFFLINE)

    assert "Plan: 0 to add, 0 to change, 2 to destroy." in output


def test_a_pipeline_applies_the_plan_and_continues_what_still_runs(tmp_path: Path) -> None:
    # Simulated time is slow enough for the plan to be left, with --timeout, while the gateway is being built.
    output = execute(
        "sh", EXAMPLES / "pipeline.sh", BLUEPRINTS / "one_site.py", "plan.json", "8",
        cwd=tmp_path, PAUSE="1", VPNGW_SIMULATOR_SPEED="300", VPNGW_ENV_FILE=str(EXAMPLE_ENV), **OFFLINE,
    )  # fmt: skip
    again = execute(
        "sh", EXAMPLES / "pipeline.sh", BLUEPRINTS / "one_site.py",
        cwd=tmp_path, VPNGW_ENV_FILE=str(EXAMPLE_ENV), **OFFLINE,
    )  # fmt: skip

    assert "Not finished yet, and nothing is lost: continuing." in output
    assert "Apply of one-site complete" in output
    assert again.endswith("Nothing to do.\n")


BLUEPRINTS = ROOT / "blueprints"
EXAMPLE_ENV = BLUEPRINTS / "example.env"
OFFLINE = {"VPNGW_CLOUD": "simulator"}
KEY = {"BERLIN_PSK": "ReadmeOnly4nR7tW2kQ9xL5v", **OFFLINE}


@pytest.mark.skipif(not (ROOT / ".github").is_dir(), reason="only in the repository")
@pytest.mark.parametrize(
    ("command", "file", "code", "outputs"),
    [
        ("plan", "one_site.py", 0, ["exitcode=2", "changes=true", "plan=plan.json"]),
        ("validate", "one_site.py", 0, ["exitcode=0", "changes=false"]),
        ("wait", "one_site.py", 0, ["exitcode=0", "changes=false"]),
        ("log", "one_site.py", 64, []),
        ("validate", "absent.py", 64, ["exitcode=64", "changes=false"]),
    ],
)
def test_the_action_turns_exit_codes_into_outputs(
    tmp_path: Path, command: str, file: str, code: int, outputs: list[str]
) -> None:
    script, found = ROOT / ".github" / "scripts" / "run.sh", tmp_path / "outputs"
    found.touch()

    execute(
        "sh", script, cwd=tmp_path, code=code, COMMAND=command, FILE=str(BLUEPRINTS / file), PLAN="plan.json",
        GITHUB_OUTPUT=str(found), VPNGW_ENV_FILE=str(EXAMPLE_ENV), **OFFLINE,
    )  # fmt: skip

    assert outputs == found.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("script", sorted([*EXAMPLES.glob("*.sh"), *ROOT.glob(".github/scripts/*.sh")]), ids=str)
def test_shell_scripts_are_posix(script: Path) -> None:
    shell = shutil.which("dash") or "sh"

    done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert script.read_text(encoding="utf-8").splitlines()[0] == "#!/bin/sh"
    assert re.findall(r"\[\[(?!:)|\bfunction |\blocal |<<<|\bsource ", script.read_text(encoding="utf-8")) == []


# --- what the documents show -----------------------------------------------------------------------------------------


def block(name: str, text: str) -> str:
    """The fenced block after a comment ``<!-- name -->``."""
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)```", text, re.DOTALL)
    assert found is not None, f"no block {name}"
    return found[1]


def test_the_readme_s_blueprint_has_the_plan_that_it_shows(tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    (tmp_path / "hub.py").write_text(block("blueprint", text), encoding="utf-8")

    output = told(execute("vpngw", "plan", "hub.py", cwd=tmp_path, **KEY))

    if WRITE:
        readme.write_text(text.replace(block("plan", text), output), encoding="utf-8")
        pytest.skip("the plan of the README was written")
    assert block("plan", text) == output


def test_the_readme_s_blueprint_has_twenty_lines_at_most() -> None:
    assert block("blueprint", (ROOT / "README.md").read_text(encoding="utf-8")).count("\n") <= 20


def test_the_tutorial_goes_as_it_says(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    hub = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]  # type: ignore[index]
    file, wrong = tmp_path / "hub.py", tmp_path / "wrong.py"
    file.write_text(hub, encoding="utf-8")
    wrong.write_text(hub.replace("10.1.255.0/27", "10.1.255.0/29"), encoding="utf-8")

    assert "hub.py: valid." in execute("vpngw", "validate", "hub.py", cwd=tmp_path, **KEY)
    execute("vpngw", "validate", "wrong.py", cwd=tmp_path, code=4, **KEY)
    footer = execute("vpngw", "plan", "hub.py", cwd=tmp_path, **KEY).splitlines()[-2:]
    assert all(f"    {line}\n" in text for line in footer), footer
    execute("vpngw", "apply", "hub.py", "--yes", cwd=tmp_path, **KEY)
    assert "No changes." in execute("vpngw", "plan", "hub.py", cwd=tmp_path, **KEY)
    rotated = execute("vpngw", "plan", "hub.py", cwd=tmp_path, **{**KEY, "BERLIN_PSK": "Another5sD3fG6hJ1kL4z"})
    assert "set the shared key, nothing else" in rotated
    execute(sys.executable, EXAMPLES / "foreign_hand.py", "hub.py", cwd=tmp_path, **KEY)
    execute("vpngw", "drift", "hub.py", cwd=tmp_path, code=2, **KEY)
    execute("vpngw", "apply", "hub.py", "--yes", cwd=tmp_path, **KEY)
    execute("vpngw", "destroy", "hub.py", "--yes", cwd=tmp_path, **KEY)
    assert "0 resources." in execute("vpngw", "simulator", "show", cwd=tmp_path, **KEY)


def test_the_library_s_snippet_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "library.md").read_text(encoding="utf-8")
    snippet = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]  # type: ignore[index]
    hub = block("blueprint", (ROOT / "README.md").read_text(encoding="utf-8"))
    (tmp_path / "hub.py").write_text(hub, encoding="utf-8")

    output = execute(sys.executable, "-c", snippet + "\nprint(outcome.outcome, report.items)", cwd=tmp_path, **KEY)

    assert output.endswith("succeeded ()\n")


def test_the_faults_that_are_shown_can_be_read(tmp_path: Path) -> None:
    from vpngw_iac.simulator import read_faults

    file = tmp_path / "faults.yaml"
    file.write_text(block("faults", (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")), encoding="utf-8")

    assert [fault.effect.do for fault in read_faults(file)] == ["fail", "lose-operation", "answer", "break"]
