"""Exit codes, errors and the options that every command has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests.cli.conftest import HUB, Shell, start
from vpngw_iac.cli.app import app
from vpngw_iac.errors import ExitCode, worst

COMMON = {
    "--json",
    "--cloud",
    "--state",
    "--deployment",
    "--subscription",
    "--tenant",
    "--resource-group",
    "-g",
    "--no-color",
    "--verbose",
    "--env-file",
}
PLANNING = {"--destroy", "--adopt", "--replace", "--target", "--deep"}
OWN = {
    "validate": {"--format"},
    "compile": set(),
    "plan": {"-o", "--detailed-exitcode", *PLANNING},
    "apply": {"--yes", "--detach", "--timeout", "--edits-only", *PLANNING},
    "wait": set(),
    "destroy": {"--yes", "--keep-public-ips"},
    "drift": {"--deep"},
    "show": set(),
    "graph": {"--of", "--format"},
    "log": set(),
    "secret check": set(),
    "rule": set(),
    "schema": set(),
    "simulator serve": {"--port", "--tls", "--no-tls", "--host", "--speed", "--faults", "--dir"},
    "simulator reset": {"--dir"},
    "simulator show": {"--dir"},
}


def options_of(line: str) -> set[str]:
    command = typer.main.get_command(app)
    for name in line.split():
        command = command.commands[name]  # type: ignore[attr-defined]
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("line", OWN)
def test_a_command_has_its_options_and_those_of_every_command(line: str) -> None:
    options = options_of(line)

    assert OWN[line] | COMMON <= options


def test_in_every_synopsis_the_arguments_stand_before_the_options(vpngw: Shell) -> None:
    for line, usage in {
        "plan": "FILE... [OPTIONS]",
        "apply": "FILE...|plan.json... [OPTIONS]",
        "state mv": "[FILE] OLD NEW [OPTIONS]",
        "simulator set": "ID PATH=VALUE... [OPTIONS]",
        "schema": "[OPTIONS]",
    }.items():
        assert vpngw(*line.split(), "--help", code=0).out.splitlines()[0] == f"Usage: vpngw {line} {usage}"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "state",
        "nonsense",
        "plan",
        "plan hub.yaml --nonsense",
        "plan hub.yaml too many",
        "apply hub.yaml --timeout soon",
        "apply hub.yaml --timeout -1",
        "graph hub.yaml --format png",
        "plan nowhere.yaml",
        "plan .vpngw",
        "show .",
        "plan README.md",
        "rule R-NONSENSE-99",
        "apply hub.yaml",
        "destroy hub.yaml",
        "plan hub.yaml --env-file nowhere.env",
    ],
)
def test_wrong_usage_is_64_with_a_text_or_a_document(vpngw: Shell, line: str) -> None:
    told = vpngw(*line.split(), code=64)
    document = vpngw(*line.split(), "--json", code=64).document

    assert told.out == ""
    assert told.err
    assert "Traceback" not in told.err
    assert document["kind"] == "error"
    assert document["exit_code"] == 64
    assert document["message"]
    assert document["advice"]


@pytest.mark.parametrize(
    "line",
    [
        "--cloud simulator validate hub.yaml",
        "--cloud=simulator --no-color validate hub.yaml",
        "-g rg-other validate hub.yaml --json",
        "--json --deployment nobody state list",
        "--cloud simulator --version",
    ],
)
def test_the_options_of_every_command_may_stand_before_it(vpngw: Shell, line: str) -> None:
    vpngw.write("hub.yaml", HUB)

    answer = vpngw(*line.split())

    assert answer.code in (0, 1)
    assert "No such option" not in answer.err
    if "--json" in line:
        assert answer.document["format"] == 1


@pytest.mark.parametrize("how", ["vpngw.toml", "env file", "--format json", "--format=json"])
def test_a_failure_is_one_document_however_json_was_asked_for(vpngw: Shell, how: str) -> None:
    vpngw.write("bad.yaml", "kind: [\n")
    more = how.split() if how.startswith("--") else ()
    if how == "vpngw.toml":
        vpngw.write("vpngw.toml", "json = true\n")
    if how == "env file":
        vpngw.write("my.env", "VPNGW_JSON=true\n")
        more = ("--env-file", "my.env")

    for name in ("bad.yaml", "nowhere.yaml"):
        answer = vpngw("validate", name, *more)
        assert answer.code in (4, 64)
        assert answer.document["kind"] in ("error", "validate")


def test_an_option_after_the_command_wins_over_the_same_before_it(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB)

    planned = vpngw("--deployment", "first", "plan", "hub.yaml", "--deployment", "second", code=0)

    assert planned.out.startswith("second in the simulator")


def test_an_unexpected_error_is_called_a_bug_and_shows_its_origin_only_when_asked(vpngw: Shell) -> None:
    vpngw.write("odd.py", "class Odd:\n    name = 'odd'\nblueprint = Odd()\n")
    broken = Path(".vpngw/simulator/content.jsonl")
    broken.parent.mkdir(parents=True)
    broken.mkdir()

    told = vpngw("simulator", "show")

    assert told.code in (1, 4, 64)
    assert "Traceback" not in told.err
    assert told.err.startswith("Error: ")


def test_python_m_runs_the_same_program(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "vpngw_iac", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("vpngw ")


def test_a_reader_that_leaves_early_is_no_error(vpngw: Shell) -> None:
    with start("rule", env=dict(os.environ)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        told = process.stderr.read()

    assert process.returncode == 0
    assert told == ""


def test_of_several_exit_codes_the_first_in_the_documented_order_counts() -> None:
    order = (130, 143, 7, 3, 1, 4, 8, 6, 2, 0)

    for position, code in enumerate(order):
        assert worst(order[position:]) is ExitCode(code)
        assert worst(reversed(order[position:])) is ExitCode(code)


def test_the_shell_can_complete_commands(tmp_path: Path) -> None:
    environment = dict(os.environ) | {"_VPNGW_COMPLETE": "complete_bash", "COMP_WORDS": "vpngw dri", "COMP_CWORD": "1"}

    done = subprocess.run(
        [sys.executable, "-m", "vpngw_iac"], capture_output=True, text=True, env=environment, check=False
    )

    assert done.stdout.split() == ["drift"]


def test_json_can_be_a_setting(vpngw: Shell, environment: dict[str, str]) -> None:
    environment["VPNGW_JSON"] = "1"

    assert vpngw("validate", "hub.yaml", code=0).document["kind"] == "validate"
    assert vpngw("plan", "nowhere.yaml", code=64).document["kind"] == "error"


def test_colours_only_where_somebody_can_see_them(vpngw: Shell) -> None:
    assert "\x1b[" not in vpngw("plan", "hub.yaml", code=0).out


def test_a_misspelt_command_names_the_nearest(vpngw: Shell) -> None:
    answer = vpngw("valdate", "hub.yaml", code=64).err
    assert answer.splitlines()[0] == "Error: No such command 'valdate'."
    assert answer.count("Did you mean") == 1, "once, as it is typed"
    assert "Did you mean `vpngw validate`?" in answer
    assert "Did you mean `vpngw state unlock`?" in vpngw("state", "unlok", code=64).err


def test_rules_are_listed_and_explained(vpngw: Shell) -> None:
    everything = vpngw("rule", "--json", code=0).document["rules"]
    one = vpngw("rule", "r-subnet-02", code=0)

    assert len(everything) > 50
    assert {"id", "level", "when", "status", "title", "source"} <= set(everything[0])
    assert one.out.startswith("R-SUBNET-02")


def test_the_schema_is_json_schema(vpngw: Shell) -> None:
    schema = json.loads(vpngw("schema", code=0).out)

    assert "$defs" in schema


def test_what_an_encoding_lacks_is_escaped_as_in_json(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB + "tags: {owner: Müller}\n")
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}

    for more in ((), ("--json",)):
        with start("plan", "hub.yaml", *more, env=ascii_only) as process:
            out, err = process.communicate()
        assert process.returncode == 0, err
        assert "M\\u00fcller" in out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_an_answer_that_cannot_be_written_is_told_without_a_traceback(vpngw: Shell, more: tuple[str, ...]) -> None:
    vpngw.write("hub.yaml", HUB)
    command = [sys.executable, "-m", "vpngw_iac", "plan", "hub.yaml", *more]

    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The answer cannot be written: No space left on device.")
    assert "Traceback" not in done.stderr


def test_a_closed_stdout_is_no_bug(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB)

    done = subprocess.run(
        f"exec {sys.executable} -m vpngw_iac validate hub.yaml >&-",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
