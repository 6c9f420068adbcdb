"""In a pipeline the checkout decides neither where to sign in nor where to work; parts of vpngw.toml have names."""

from __future__ import annotations

import os

import pytest

from tests.cli.conftest import Shell

PIPELINES = pytest.mark.parametrize(
    "pipeline", [{"GITHUB_ACTIONS": "true"}, {"TF_BUILD": "True"}], ids=["github", "devops"]
)


@PIPELINES
@pytest.mark.parametrize(
    ("line", "variable"),
    [
        ('state = "elsewhere"', "VPNGW_STATE"),
        ('subscription = "11111111-1111-4111-8111-111111111111"', "VPNGW_SUBSCRIPTION"),
        ('tenant = "11111111-1111-4111-8111-111111111111"', "VPNGW_TENANT"),
        ('cloud = "https://evil.invalid"', "VPNGW_CLOUD"),
    ],
)
def test_what_the_checkout_alone_says_is_refused(
    vpngw: Shell, pipeline: dict[str, str], line: str, variable: str
) -> None:
    vpngw.write("vpngw.toml", line)
    os.environ |= pipeline

    answer = vpngw("plan", "hub.yaml", code=64)

    assert "In a pipeline cloud, tenant, subscription, state and authority" in answer.err
    assert not (vpngw.directory / "elsewhere").exists()
    vpngw("validate", "hub.yaml", code=0)  # signs in nowhere


def test_what_the_pipeline_says_too_is_taken(vpngw: Shell) -> None:
    vpngw.write("vpngw.toml", 'state = "there"\ncloud = "simulator"')
    os.environ |= {"GITHUB_ACTIONS": "true", "VPNGW_STATE": "there"}

    vpngw("plan", "hub.yaml", code=0)
    vpngw("plan", "hub.yaml", "--state", "elsewhere", code=64)


def test_at_a_desk_the_file_says_what_it_likes(vpngw: Shell) -> None:
    vpngw.write("vpngw.toml", 'state = "there"')

    vpngw("plan", "hub.yaml", code=0)


def test_an_env_file_of_the_checkout_names_no_authority(vpngw: Shell) -> None:
    vpngw.write("vpngw.toml", 'env_file = "ci.env"')
    vpngw.write("ci.env", "AZURE_AUTHORITY_HOST=https://evil.invalid\nVPNGW_STATE=elsewhere\n")
    (vpngw.directory / "ci.env").chmod(0o600)
    os.environ["GITHUB_ACTIONS"] = "true"

    told = vpngw("plan", "hub.yaml", code=64).err

    assert "AZURE_AUTHORITY_HOST" in told
    assert "state elsewhere" in told


def test_an_endpoint_is_confirmed_by_the_pipeline_itself(vpngw: Shell) -> None:
    os.environ |= {"GITHUB_ACTIONS": "true", "VPNGW_SUBSCRIPTION": "s"}
    vpngw.write("vpngw.toml", "allow_endpoint = true")
    address = ("--cloud", "https://127.0.0.1:9")

    assert "--allow-endpoint" in vpngw("plan", "hub.yaml", *address, code=64).err
    assert "--allow-endpoint" not in vpngw("plan", "hub.yaml", *address, "--allow-endpoint").err
    del os.environ["GITHUB_ACTIONS"]
    assert "--allow-endpoint" not in vpngw("plan", "hub.yaml", *address).err


# --- parts of vpngw.toml ----------------------------------------------------------------------------------------------

PARTS = """
state = "common"
[environments.dev]
deployment = "hub-dev"
[environments.prod]
deployment = "hub-prod"
state = "prod"
"""


def test_a_part_of_the_file_is_chosen_by_its_name(vpngw: Shell) -> None:
    vpngw.write("vpngw.toml", PARTS)

    found = {
        name: vpngw("plan", "hub.yaml", "--environment", name, "--json", code=0).document for name in ("dev", "prod")
    }

    assert [(d["deployment"], d["state"].rstrip("/").split("/")[-3]) for d in found.values()] == [
        ("hub-dev", "common"),
        ("hub-prod", "prod"),
    ]
    os.environ["VPNGW_ENVIRONMENT"] = "prod"
    assert vpngw("plan", "hub.yaml", "--json", code=0).document["deployment"] == "hub-prod"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (PARTS, "has no [environments.test]"),
        ("", "has no [environments.test]"),
        ("[environments]\ntest = 1", "'environments' holds parts"),
        ("[environments.test]\nclud = 'public'", "unknown setting 'clud'"),
    ],
)
def test_a_part_that_is_not_there_or_wrong_is_told(vpngw: Shell, text: str, match: str) -> None:
    vpngw.write("vpngw.toml", text)

    assert match in vpngw("plan", "hub.yaml", "--environment", "test", code=64).err.replace("\n       ", " ")


def test_a_part_without_a_file_is_told(vpngw: Shell) -> None:
    assert "There is no vpngw.toml" in vpngw("plan", "hub.yaml", "--environment", "test", code=64).err
