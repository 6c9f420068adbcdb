"""The examples of fleets: their steps are run on the simulator, in the order in which a pipeline runs them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.test_examples import EXAMPLES, environment, execute

FLEET = EXAMPLES / "fleet"
HUB = """
kind: ExpressRoute
name: {name}
circuits:
  - {{name: erc-{name}, location: westeurope, resource_group: rg-network, provider: Equinix,
      peering_location: Amsterdam, bandwidth: 50}}
"""
NAMES = ("amsterdam", "berlin office", "cairo")
"""One with a blank in its file's name: what a shell would take apart."""
CLOUD = {"VPNGW_CLOUD": "simulator", "VPNGW_SIMULATOR_SPEED": "2000"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hubs").mkdir()
    for name in NAMES:
        (tmp_path / "hubs" / f"{name}.yaml").write_text(HUB.format(name=name.split()[0]), encoding="utf-8")
    return tmp_path


def shell(script: str, folder: Path, **variables: str) -> str:
    """A step as a runner runs it: bash, ending at the first failure."""
    return execute("bash", "-e", "-o", "pipefail", "-c", script, cwd=folder, **(CLOUD | variables))


def deployed(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / ".vpngw" / "state" / "simulator").iterdir())


def read(name: str) -> Any:
    return yaml.load((FLEET / name).read_text(encoding="utf-8"), yaml.BaseLoader)


def test_github_runs_a_job_for_each_deployment(folder: Path) -> None:
    workflow = read("github.yml")
    telling, running = workflow["jobs"]["jobs"], workflow["jobs"]["run"]
    output = folder / "output"

    shell(telling["steps"][-1]["run"], folder, GITHUB_OUTPUT=str(output))
    jobs = json.loads(output.read_text(encoding="utf-8").removeprefix("matrix="))["include"]
    for job in jobs:
        shell(running["steps"][-1]["run"], folder, FILES=job["files"], VERB="apply --yes")
        shell(running["steps"][-1]["run"], folder, FILES=job["files"], VERB="wait")

    assert [job["name"] for job in jobs] == ["amsterdam", "berlin", "cairo"]
    assert deployed(folder) == ["amsterdam", "berlin", "cairo"]


def test_the_github_example_gives_each_job_what_it_needs_and_no_more() -> None:
    workflow = read("github.yml")
    jobs = workflow["jobs"]

    assert workflow["permissions"] == {}
    assert jobs["jobs"]["permissions"] == {"contents": "read"}
    assert jobs["run"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert jobs["run"]["environment"]
    assert jobs["run"]["concurrency"]["cancel-in-progress"] == "false"
    assert jobs["run"]["strategy"]["fail-fast"] == "false"
    assert jobs["run"]["env"]["FILES"] == "${{ matrix.files }}"
    for job in jobs.values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "a name would become a part of the script"
            assert re.fullmatch(r"[\w-]+/[\w-]+@([0-9a-f]{40}|COMMIT)", step.get("uses", "a/b@COMMIT"))


def test_azure_pipelines_run_a_job_for_each_deployment(folder: Path) -> None:
    stages = read("azure-pipelines.yml")["stages"]
    telling, running = stages[0]["jobs"][0]["steps"][-1], stages[1]["jobs"][0]["steps"][-1]

    printed = shell(telling["bash"], folder)
    matrix = json.loads(printed.partition("isOutput=true]")[2])
    for variables in matrix.values():
        shell(running["inputs"]["inlineScript"], folder, FILES=variables["files"])

    assert printed.startswith("##vso[task.setvariable variable=matrix;isOutput=true]{")
    assert list(matrix) == ["amsterdam", "berlin", "cairo"]
    assert deployed(folder) == ["amsterdam", "berlin", "cairo"]
    assert running["env"] == {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}
    assert "stageDependencies.jobs.matrix.outputs['fleet.matrix']" in stages[1]["jobs"][0]["strategy"]["matrix"]
    assert telling["name"] == "fleet"


WITNESS = """#!{python}
import json, sys
with open({seen!r}, "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""


def test_container_apps_run_an_execution_for_each_deployment(folder: Path) -> None:
    seen, programs = folder / "seen", folder / "bin"
    programs.mkdir()
    az = programs / "az"
    az.write_text(WITNESS.format(python=sys.executable, seen=str(seen)), encoding="utf-8")
    az.chmod(0o755)
    given = {"GROUP": "rg-vpngw", "IMAGE": "acr.example/hubs:1", "CLIENT_ID": "c", "STATE": "s", "SUBSCRIPTION": "u"}
    path = f"{programs}:{environment()['PATH']}"

    execute("sh", FLEET / "container_apps.sh", "start", cwd=folder, PATH=path, **(CLOUD | given))
    calls = [json.loads(line) for line in seen.read_text(encoding="utf-8").splitlines()]
    files = [next(word for word in call if word.startswith("FILES=")).removeprefix("FILES=") for call in calls]
    entry = json.loads((FLEET / "Dockerfile").read_text(encoding="utf-8").partition("ENTRYPOINT ")[2])
    for each in files:
        execute(*entry, cwd=folder, FILES=each, **CLOUD)

    assert [call[:3] for call in calls] == [["containerapp", "job", "start"]] * 3
    assert deployed(folder) == ["amsterdam", "berlin", "cairo"]


@pytest.mark.parametrize("missing", ["GROUP", "IMAGE", "STATE"])
def test_container_apps_say_what_is_missing(folder: Path, missing: str) -> None:
    given = {"GROUP": "g", "IMAGE": "i", "CLIENT_ID": "c", "STATE": "s", "SUBSCRIPTION": "u"}
    del given[missing]

    execute("sh", FLEET / "container_apps.sh", "start", cwd=folder, code=2 if _is_dash() else 1, **given)


def _is_dash() -> bool:
    return Path("/bin/sh").resolve().name == "dash"


def test_a_fleet_from_python(tmp_path: Path) -> None:
    lines = execute(sys.executable, FLEET / "apply_fleet.py", cwd=tmp_path).splitlines()

    assert lines[0] == "84 changes in 12 hubs"
    assert sorted(lines[1:13]) == [f"hub-{number:02}: 7 changes" for number in range(1, 13)]
    assert lines[13:] == ["failed: none", "left to do: 0"]
