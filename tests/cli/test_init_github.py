"""`init --github`: the workflow is the example that we ship, the hand-over is a script that a shell can read."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import ROOT, Shell
from vpngw_iac.azure.clouds import KNOWN as KNOWN_CLOUDS
from vpngw_iac.state_url import key_secret_name
from vpngw_iac.usecases.github_files import repository_of, source_of_vpngw, subject_prefix
from vpngw_iac.usecases.github_project import AUDIENCE, GithubProject

KNOWN = {
    "state": "azblob://stnetwork/vpngw/prod",
    "subscription": "11111111-1111-4111-8111-111111111111",
    "tenant": "33333333-3333-4333-8333-333333333333",
}
FLAGS = ("--state", KNOWN["state"], "--subscription", KNOWN["subscription"], "--tenant", KNOWN["tenant"])


def repository(folder: Path, url: str = "git@github.com:octo-org/octo-repo.git") -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text(f'[core]\n\tbare = false\n[remote "origin"]\n\turl = {url}\n')


def commands_of(handover: str) -> str:
    return "\n".join(line.strip() for line in handover.splitlines() if line.startswith("    "))


def test_the_example_that_we_ship_is_what_is_written() -> None:
    project = GithubProject("hub.py", "hub", settings=KNOWN)

    assert project.workflow_text == (ROOT / "examples" / "pipelines" / "github.yml").read_text(encoding="utf-8")


def test_a_project_gets_a_workflow_at_the_root_and_a_hand_over(vpngw: Shell) -> None:
    repository(vpngw.directory)
    (vpngw.directory / "net").mkdir()
    (vpngw.directory / "hub.yaml").rename(vpngw.directory / "net" / "hub.yaml")

    told = vpngw("init", "--github", "net/hub.yaml", *FLAGS, "--branch", "trunk", code=0)
    workflow = yaml.safe_load((vpngw.directory / ".github" / "workflows" / "network.yml").read_text())
    handover = (vpngw.directory / "github-setup.md").read_text()

    assert workflow["jobs"]["plan"]["with"]["blueprint"] == "net/hub.yaml"
    assert workflow["jobs"]["plan"]["with"]["deployment"] == "hub"
    assert workflow[True]["push"]["branches"] == ["trunk"]
    assert "refs/heads/trunk" in workflow["jobs"]["apply"]["if"]
    assert told.out.startswith(handover)
    assert "OWNER/vpngw@COMMIT" in handover


def test_the_commands_name_four_identities_and_a_shell_reads_them(tmp_path: Path) -> None:
    handover = GithubProject("a b.py", "hub", "octo-org/octo-repo", KNOWN).handover_text
    script = commands_of(handover)
    stubs = 'az() { echo "az $*"; }; gh() { echo "gh $*"; }; vpngw() { echo "vpngw $*"; }\n'

    said = subprocess.run(
        ["bash", "-euc", stubs + script], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    credentials = [json.loads(text) for text in re.findall(r"--parameters (\{.*\})", said)]

    assert [found["subject"] for found in credentials] == [
        "repo:octo-org/octo-repo:pull_request",
        "repo:octo-org/octo-repo:ref:refs/heads/main",
        "repo:octo-org/octo-repo:environment:production-apply",
        "repo:octo-org/octo-repo:ref:refs/heads/main",
    ]
    assert {found["issuer"] for found in credentials} == {"https://token.actions.githubusercontent.com"}
    variables = set(re.findall(r"gh variable set (\w+)", said))
    assert variables == set(re.findall(r"vars\.(\w+)", GithubProject("hub.py", "hub").workflow_text))


def test_roles_are_made_for_the_deployment_and_each_subscription_of_the_blueprint(vpngw: Shell) -> None:
    blueprint = (ROOT / "blueprints" / "vnet_to_vnet_subscriptions.py").read_text(encoding="utf-8")
    (vpngw.directory / "two.py").write_text(blueprint, encoding="utf-8")
    other = "22222222-2222-4222-8222-222222222222"
    assert other in blueprint

    vpngw("init", "--github", "two.py", *FLAGS, "--deployment", "pair", code=0)
    handover = (vpngw.directory / "github-setup.md").read_text()
    made = yaml.safe_load((vpngw.directory / ".github" / "workflows" / "network.yml").read_text())

    for word in ("planner", "verifier", "operator"):
        (line,) = [
            line.strip() for line in handover.splitlines() if line.strip().startswith("vpngw role") and word in line
        ]
        command = line.partition(" > ")[0].split()[1:]
        definition = json.loads(vpngw(*command, code=0).out)
        assigned = {
            scope
            for role, scope in re.findall(r"--role '([^']+)' --scope (/subscriptions/[^/\s]+)\n", handover)
            if role == definition["Name"]
        }
        assert assigned == set(definition["AssignableScopes"]) == {
            f"/subscriptions/{each}" for each in (KNOWN["subscription"], other)
        }  # fmt: skip
    assert made["jobs"]["plan"]["with"]["allowed-subscriptions"] == other
    assert "<" not in (vpngw.directory / ".github" / "workflows" / "network.yml").read_text()


def test_who_finishes_is_who_applies_in_an_environment_of_its_own(vpngw: Shell) -> None:
    vpngw("init", "--github", "hub.yaml", *FLAGS, "--finish", code=0)

    handover = (vpngw.directory / "github-setup.md").read_text()
    ((block),) = [part for part in handover.split("    # ") if "-hub-apply" in part]
    credentials = [json.loads(text.replace('\\"', '"')) for text in re.findall(r'--parameters "(\{.*\})"', block)]
    assert [(found["name"], found["subject"]) for found in credentials] == [
        ("github", "${prefix}:environment:production-apply"),
        ("github-1", "${prefix}:environment:production-finish"),
    ]
    assert "environments/production-finish/deployment-branch-policies -f name=main" in handover
    assert "finish: true" in (vpngw.directory / ".github" / "workflows" / "network.yml").read_text()


def test_finishing_is_chosen_for_a_workflow_alone(vpngw: Shell) -> None:
    told = vpngw("init", "--yes", "--finish", code=64)

    assert "--finish goes with --github" in told.err


def test_who_plans_pull_requests_gets_no_right_to_the_key_and_who_applies_alone_writes() -> None:
    rights = {
        block.splitlines()[0].strip(): block
        for block in GithubProject("hub.py", "hub", settings=KNOWN).handover_text.split("    # ")
        if "app=$(" in block
    }

    assert ["vpngw-keys" in block for block in rights.values()] == [False, True, True, True]
    assert ["operator" in block for block in rights.values()] == [False, False, True, False]
    assert ["verifier" in block for block in rights.values()] == [False, True, False, False]
    assert ["Contributor" in block for block in rights.values()] == [False, False, True, True]


def test_with_a_vault_the_key_is_read_there_by_all_but_who_plans_pull_requests(vpngw: Shell) -> None:
    repository(vpngw.directory)

    handover = vpngw(
        "init", "--github", *FLAGS, "--key-vault", "https://kv-keys.vault.azure.net", "hub.yaml", code=0
    ).out

    commands = commands_of(handover)
    assert f"vpngw state init {KNOWN['state']} hub.yaml --key-vault https://kv-keys.vault.azure.net " in commands
    secret = key_secret_name("hub", "azblob://stnetwork/vpngw/prod/public/hub")
    assert "vpngw-keys" not in handover
    rights = [line for line in commands.splitlines() if "Key Vault Secrets User" in line]
    assert [f'--name kv-keys --query id --output tsv)/secrets/{secret}"' in line for line in rights] == [True] * 3
    blocks = handover.split("    # ")
    assert not any("Key Vault" in block for block in blocks if block.startswith("plans pull requests"))
    subprocess.run(["sh", "-n"], input=commands, text=True, check=True)


@pytest.mark.parametrize("cloud", ["public", "usgovernment", "china", "https://arm.example"])
def test_the_workflow_and_the_credentials_are_those_of_the_cloud(vpngw: Shell, cloud: str) -> None:
    repository(vpngw.directory)
    audience = KNOWN_CLOUDS[cloud].federation_audience if cloud in KNOWN_CLOUDS else AUDIENCE

    vault = ("--key-vault", "https://kv-keys.vault.azure.net")
    handover = vpngw("init", "--github", *FLAGS, *vault, "--cloud", cloud, "hub.yaml", code=0).out
    workflow = yaml.safe_load((vpngw.directory / ".github" / "workflows" / "network.yml").read_text())

    said = [job["with"].get("cloud", "public") for job in workflow["jobs"].values() if "with" in job]
    meant = [job["with"].get("allow-endpoint", False) for job in workflow["jobs"].values() if "with" in job]
    assert set(said) == {cloud}
    assert set(meant) == {cloud.startswith("https://")}
    assert set(re.findall(r'audiences\\":\[\\"([^\\]+)', handover)) == {audience}
    assert f"hub.yaml --key-vault https://kv-keys.vault.azure.net --cloud {cloud}\n" in handover
    folder = cloud.removeprefix("https://")
    assert f"/secrets/{key_secret_name('hub', f'azblob://stnetwork/vpngw/prod/{folder}/hub')}" in handover


def test_a_project_that_was_begun_on_the_simulator_has_a_pipeline_for_azure(vpngw: Shell) -> None:
    repository(vpngw.directory)

    handover = vpngw("init", "--github", *FLAGS, "hub.yaml", code=0).out

    assert f"vpngw state init {KNOWN['state']} hub.yaml --cloud public\n" in handover


@pytest.mark.parametrize("vault", ["kv-keys", "https://kv.vault.azure.net/$(id)", "http://kv.vault.azure.net", "x; id"])
def test_what_is_no_vault_becomes_no_command(vpngw: Shell, vault: str) -> None:
    repository(vpngw.directory)

    assert "is no key vault" in vpngw("init", "--github", *FLAGS, "--key-vault", vault, "hub.yaml", code=64).err


def test_a_file_that_is_there_is_kept_and_the_other_one_is_not_written(vpngw: Shell) -> None:
    (vpngw.directory / "github-setup.md").write_text("mine")

    told = vpngw("init", "--github", "hub.yaml", *FLAGS, code=4)

    assert "github-setup.md exists" in told.err
    assert not (vpngw.directory / ".github").exists()
    assert (vpngw.directory / "github-setup.md").read_text() == "mine"


@pytest.mark.parametrize(
    "flags", [("--repository", "a/b;id"), ("--repository", "x"), ("--branch", "$(id)"), ("no.py",)]
)
def test_what_could_become_a_part_of_a_command_is_refused(vpngw: Shell, flags: tuple[str, ...]) -> None:
    vpngw("init", "--github", *flags, code=64)


@pytest.mark.parametrize(
    ("url", "name"),
    [("git@github.com:o/r.git", "o/r"), ("https://github.com/o/r", "o/r"), ("ssh://git@github.com/o/r.git", "o/r"),
     ("https://example.com/o/r.git", "")],
)  # fmt: skip
def test_the_repository_is_the_remote_on_github(tmp_path: Path, url: str, name: str) -> None:
    repository(tmp_path, url)

    assert repository_of(tmp_path) == name


def asked(told: dict[str, object]) -> str:
    about = {"full_name": "octo-org/octo-repo", "id": 456789, "owner": {"id": 123456}}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.headers["Authorization"] == "Bearer token" else 401)
            self.end_headers()
            self.wfile.write(json.dumps(told if self.path.endswith("/sub") else about).encode())

        def log_message(self, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = {"GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}", "GH_TOKEN": "token"}
        try:
            return subject_prefix("octo-org/octo-repo", place)
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("told", "prefix"),
    [
        ({"use_default": True, "sub_claim_prefix": "repo:octo-org/octo-repo"}, "repo:octo-org/octo-repo"),
        ({"use_default": True, "use_immutable_subject": True}, "repo:octo-org@123456/octo-repo@456789"),
        ({"use_default": True}, ""),
        ({"use_default": False, "include_claim_keys": ["repo"]}, ""),
        ({"use_default": True, "sub_claim_prefix": "repo:x'; id"}, ""),
    ],
)
def test_the_format_of_the_subject_is_asked_of_the_repository(told: dict[str, object], prefix: str) -> None:
    assert asked(told) == prefix


def test_without_a_token_github_is_not_asked() -> None:
    assert subject_prefix("octo-org/octo-repo", {"GITHUB_API_URL": "http://127.0.0.1:9"}) == ""


def test_a_checkout_of_vpngw_is_no_commit_on_github() -> None:
    assert source_of_vpngw() == ""
