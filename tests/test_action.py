"""The action's shell step with hostile inputs: what reaches the program, the log and the outputs."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import ROOT
from tests.test_workflows import HOSTILE_VERSIONS

SHELLS = [name for name in ("sh", "dash", "bash", "busybox") if shutil.which(name)]

WITNESS = """#!{python}
import json, os, sys
json.dump(sys.argv[1:], open({seen!r}, "w"))
"""


CANCELLABLE = """#!{python}
import os, signal, sys, time

def stop(number, frame):
    time.sleep(0.3)
    os.write(1, b"the lock is released\\n")
    sys.exit(128 + number)

signal.signal(signal.SIGTERM, stop)
os.write(1, b"running\\n")
time.sleep(50)
"""


HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""A program that hears SIGINT, also where whoever runs the tests ignores it: no shell can trap it then."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a step left behind."""

    code: int
    log: str
    outputs: str
    arguments: list[str] | None


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> list[str]:
    return ["busybox", "sh"] if request.param == "busybox" else [request.param]


def run(tmp_path: Path, shell: list[str], script: str | None = None, **inputs: str) -> Step:
    """The step of ``action.yml`` with a program that only notes its arguments."""
    seen, outputs, programs = tmp_path / "seen.json", tmp_path / "outputs", tmp_path / "bin"
    work = tmp_path / "work"
    for folder in (programs, work):
        folder.mkdir(exist_ok=True)
    (work / "a.py").touch()
    (work / "plan.json").touch()
    program = programs / "vpngw"
    program.write_text(WITNESS.format(python=sys.executable, seen=str(seen)))
    program.chmod(0o755)
    (action,) = [s for s in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if s.get("id") == "run"]
    assert action["run"] == 'exec sh "$SCRIPT"'
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(outputs), "COMMAND": "plan", "FILE": "a.py",
        "PLAN": "plan.json", "ARGUMENTS": "", "RUNNER_TEMP": str(tmp_path), "BLUEPRINT": "a.py",
    } | inputs  # fmt: skip
    text = [str(ROOT / ".github" / "scripts" / "run.sh")] if script is None else ["-ec", script]
    done = subprocess.run(
        [*shell, *text], cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return Step(
        done.returncode,
        done.stdout + done.stderr,
        outputs.read_text() if outputs.exists() else "",
        json.loads(seen.read_text()) if seen.exists() else None,
    )


@pytest.mark.parametrize(
    "arguments",
    ["*", "--adopt VpnConnection/*", "--adopt [a-z].py ?.py", "$(touch owned)", "`touch owned`", "; touch owned",
     "$HOME", "| cat", "&& exit 0", r"a\nb", "'a b'", "~", "{a,b}", "-- x", "\u2028"],
)  # fmt: skip
def test_arguments_reach_the_program_as_they_stand(tmp_path: Path, shell: list[str], arguments: str) -> None:
    step = run(tmp_path, shell, ARGUMENTS=arguments)

    assert step.arguments == ["plan", "a.py", "--out", "plan.json", "--detailed-exitcode", *arguments.split(" ")]
    assert not (tmp_path / "work" / "owned").exists()


@pytest.mark.parametrize("cancelled", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_step_ends_when_the_run_has_ended(tmp_path: Path, shell: list[str], cancelled: int) -> None:
    """GitHub sends the signal to the shell alone, and kills what is left once that is gone."""
    program = tmp_path / "vpngw"
    program.write_text(CANCELLABLE.format(python=sys.executable))
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(tmp_path / "outputs")}
    inputs = {"COMMAND": "apply", "FILE": "a.py", "ARGUMENTS": "", "PLAN": ""}
    step = subprocess.Popen(
        [sys.executable, "-c", HEARING, *shell, str(ROOT / ".github" / "scripts" / "run.sh")],
        env={**environment, **inputs}, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert step.stdout is not None
    assert step.stdout.readline() == "running\n"

    step.send_signal(cancelled)
    said, _ = step.communicate(timeout=60)

    assert said.splitlines()[0] == "the lock is released"
    assert step.returncode == 143
    assert (tmp_path / "outputs").read_text().splitlines()[0] == "exitcode=143"


def test_arguments_may_stand_in_lines(tmp_path: Path, shell: list[str]) -> None:
    step = run(tmp_path, shell, ARGUMENTS="--adopt A\r\n--timeout 3\n\t--deep\n")

    assert step.arguments is not None
    assert step.arguments[-5:] == ["--adopt", "A", "--timeout", "3", "--deep"]


@pytest.mark.parametrize("name", ["COMMAND", "FILE", "PLAN"])
@pytest.mark.parametrize("text", ["a.py\nexitcode=0", "a.py\r\n::add-mask::x", "a\x1b[2Jb", "a\tb"])
def test_a_line_break_in_a_name_is_refused_and_writes_no_output(
    tmp_path: Path, shell: list[str], name: str, text: str
) -> None:
    step = run(tmp_path, shell, **{name: text})

    assert step.code == 64
    assert step.arguments is None
    assert step.outputs == ""
    assert re.fullmatch(r"::error::The input '\w+' holds a line break or another control character\.\n", step.log)


@pytest.mark.parametrize(
    ("name", "text"),
    [("FILE", ""), ("FILE", "--json"), ("PLAN", "-o"), ("PLAN", ""), ("COMMAND", "state push"), ("COMMAND", "*"),
     ("COMMAND", r"x\n::set-output::y"), ("COMMAND", "--version"), ("COMMAND", "")],
)  # fmt: skip
def test_what_is_no_command_and_no_file_is_refused(tmp_path: Path, shell: list[str], name: str, text: str) -> None:
    step = run(tmp_path, shell, **{name: text})

    assert (step.code, step.arguments, step.outputs) == (64, None, "")
    assert step.log.startswith("::error::")
    assert step.log.count("\n") == 1


@pytest.mark.parametrize("plan", [r"p\nexitcode=0", r"p\c", "$(x)", "p*", "p q", "%0Aexitcode=0"])
def test_the_name_of_a_plan_is_told_as_it_stands(tmp_path: Path, shell: list[str], plan: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / plan).touch()

    step = run(tmp_path, shell, PLAN=plan)

    assert step.outputs == f"exitcode=0\nchanges=false\nplan={plan}\n"


@pytest.mark.parametrize(
    "path",
    sorted(["action.yml", *(f".github/workflows/{n}.yml" for n in ("plan", "apply", "drift", "resume", "verify"))]),
)
def test_no_shell_text_is_made_of_an_input(path: str) -> None:
    flow = yaml.safe_load((ROOT / path).read_text())
    steps = flow["runs"]["steps"] if "runs" in flow else [s for job in flow["jobs"].values() for s in job["steps"]]

    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize(
    "path", ["action.yml", "examples/pipelines/azure-devops.yml", "examples/fleet/azure-pipelines.yml"]
)
def test_what_lies_in_the_workspace_is_no_module_of_the_installation(path: str) -> None:
    """A runner of one's own keeps what an earlier job has checked out: ``python -m`` would run a ``venv.py`` of it."""
    text = (ROOT / path).read_text(encoding="utf-8")

    assert re.findall(r"python\"? (?!-I )\S*.*", re.sub(r"(?m)^\s*(-\s+)?(#|name:|description:).*$", "", text)) == []
    assert re.search(r"python\"? -I -m pip", text)


def test_python_knows_how_to_leave_the_workspace_out(tmp_path: Path) -> None:
    (tmp_path / "venv.py").write_text("open('owned', 'w')\n")

    subprocess.run(
        [sys.executable, "-I", "-m", "venv", "--help"], cwd=tmp_path, capture_output=True, check=True, timeout=60
    )

    assert not (tmp_path / "owned").exists()


# --- another version than the action's own ----------------------------------------------------------------------------


def version_step(tmp_path: Path, shell: list[str], version: str, repository: str = "octo-org/vpngw") -> Step:
    (step,) = [
        s for s in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if s.get("id") == "version"
    ]
    assert step["run"] == 'exec sh "$SCRIPT"'
    script = step["env"]["SCRIPT"].replace("${{ github.action_path }}", str(ROOT))
    return run(tmp_path, shell, f'. "{script}"', VERSION=version, REPOSITORY=repository)


@pytest.mark.parametrize(("version", "ref"), [("0123456789" * 4, "0123456789" * 4), ("v1.2.3", "refs/tags/v1.2.3")])
def test_a_version_is_a_commit_or_a_release_of_the_action_s_repository(
    tmp_path: Path, shell: list[str], version: str, ref: str
) -> None:
    step = version_step(tmp_path, shell, version)

    assert (step.code, step.outputs) == (0, f"repository=octo-org/vpngw\nref={ref}\n")


@pytest.mark.parametrize("version", HOSTILE_VERSIONS)
def test_what_is_no_version_writes_no_output(tmp_path: Path, shell: list[str], version: str) -> None:
    step = version_step(tmp_path, shell, version)

    assert (step.code, step.outputs) == (64, "")
    assert step.log.count("::") == 2
    assert not (tmp_path / "work" / "owned").exists()


def test_an_action_that_lies_in_a_folder_has_one_version(tmp_path: Path, shell: list[str]) -> None:
    step = version_step(tmp_path, shell, "v1.2.3", repository="")

    assert (step.code, step.outputs) == (64, "")


def test_the_version_that_is_fetched_is_the_one_that_was_looked_at_and_the_one_that_is_installed() -> None:
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    looked, fetched, installed = (
        next(place for place, step in enumerate(steps) if step["name"] == name)
        for name in ("Refuse a version that is no commit and no release", "Fetch that version", "Install vpngw")
    )

    assert looked < fetched < installed
    told = steps[fetched]["with"]
    assert [told[name] for name in ("repository", "ref")] == [
        "${{ steps.version.outputs.repository }}", "${{ steps.version.outputs.ref }}",
    ]  # fmt: skip
    assert f"'{{0}}/{told['path']}', github.workspace" in steps[installed]["env"]["SOURCE"]
    assert [step["if"] for step in (steps[looked], steps[fetched])] == ["inputs.version != ''"] * 2


# --- the subject of the job's token ----------------------------------------------------------------------------------

SUBJECT = "repo:octo-org@123456/octo-repo@456789:environment:production"
"""A subject as GitHub's OpenID Connect reference shows it for repositories made since 15 July 2026."""
SIGNATURE = "signature0of0the0token"


def token_server(answer: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers["Authorization"] == "Bearer asked" and "audience=api" in self.path
            self.send_response(200 if right else 403)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/token?api-version=2.0"
        server.shutdown()


def told_subject(**variables: str) -> str:
    (step,) = [s for s in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if "Subject" in s["name"]]
    script = step["env"]["SCRIPT"].replace("${{ github.action_path }}", str(ROOT))
    assert step["run"] == 'exec python -I "$SCRIPT"'
    done = subprocess.run(
        [sys.executable, script], env=variables, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout + done.stderr


def test_the_subject_of_the_token_is_told_and_nothing_else_of_it() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": f"{SUBJECT}\n::error::x"}).encode()).decode().rstrip("=")
    for url in token_server(json.dumps({"value": f"header.{claims}.{SIGNATURE}"}).encode()):
        told = told_subject(ACTIONS_ID_TOKEN_REQUEST_URL=url, ACTIONS_ID_TOKEN_REQUEST_TOKEN="asked")

    assert told == f"Subject of this job's token: {SUBJECT}::error::x\n"
    assert claims not in told


def test_a_job_without_a_token_is_not_stopped() -> None:
    assert told_subject() == ""
    for url in token_server(b"{}"):
        told = told_subject(ACTIONS_ID_TOKEN_REQUEST_URL=url, ACTIONS_ID_TOKEN_REQUEST_TOKEN="asked")
    assert told == "::warning::GitHub gave no ID token (KeyError).\n"
