"""In a pipeline the checkout decides neither where to sign in nor where to work; parts of vpngw.toml have names."""

from __future__ import annotations

import os

import pytest

from tests.cli.conftest import Shell
from vpngw_iac.usecases.settings import Settings

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


STEERING = (
    "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE",
    "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_STORAGE_KEY", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "ACTIONS_ID_TOKEN_REQUEST_URL", "GITHUB_API_URL", "GITHUB_TOKEN",
    "SYSTEM_OIDCREQUESTURI", "CI_JOB_URL", "PYTHONPATH", "LD_PRELOAD", "PATH", "VPNGW_APPROVER",
)  # fmt: skip


def env_file(vpngw: Shell, *lines: str) -> None:
    vpngw.write("vpngw.toml", 'env_file = "ci.env"')
    vpngw.write("ci.env", "\n".join(lines))
    (vpngw.directory / "ci.env").chmod(0o600)


@PIPELINES
@pytest.mark.parametrize("name", STEERING)
def test_an_env_file_of_the_checkout_that_says_where_requests_go_is_refused(
    vpngw: Shell, pipeline: dict[str, str], name: str
) -> None:
    env_file(vpngw, f"{name}=/evil")
    before = os.environ.get(name)
    os.environ |= pipeline

    told = vpngw("plan", "hub.yaml", code=64).err

    assert f"says {name}, and the pipeline does not" in told
    assert "/evil" not in told
    assert os.environ.get(name) == before


def test_what_the_pipeline_says_of_it_too_is_taken(vpngw: Shell) -> None:
    env_file(vpngw, "NO_PROXY=localhost")
    os.environ |= {"GITHUB_ACTIONS": "true", "NO_PROXY": "localhost"}

    vpngw("plan", "hub.yaml", code=0)


def test_an_env_file_of_the_checkout_reaches_secrets_and_nothing_else(vpngw: Shell) -> None:
    """Names that nobody thought of steer nothing either: only what a blueprint names as its secret is read."""
    del os.environ["BERLIN_PSK"]
    env_file(vpngw, "BERLIN_PSK=from-the-checkout-1", "SOMETHING_NEW=x")
    os.environ |= {"GITHUB_ACTIONS": "true"}

    told = vpngw("secret", "check", "hub.yaml", code=0)

    assert "gives values to Secret.env" in told.err
    assert "SOMETHING_NEW" not in os.environ
    assert "BERLIN_PSK" not in os.environ


def test_an_env_file_that_the_pipeline_names_is_its_own_word(vpngw: Shell) -> None:
    vpngw.write("ci.env", "SOMETHING_NEW=x\nNO_PROXY=localhost\n")
    (vpngw.directory / "ci.env").chmod(0o600)
    os.environ |= {"GITHUB_ACTIONS": "true"}

    vpngw("plan", "hub.yaml", "--env-file", "ci.env", code=0)

    assert os.environ["SOMETHING_NEW"] == "x"


@pytest.mark.parametrize("where", ["toml", "env"])
def test_a_checkout_does_not_widen_where_a_saved_graph_may_work(vpngw: Shell, where: str) -> None:
    wide = "11111111-1111-4111-8111-111111111111"
    if where == "toml":
        vpngw.write("vpngw.toml", f'allowed_subscriptions = "{wide}"')
    else:
        env_file(vpngw, f"VPNGW_ALLOWED_SUBSCRIPTIONS={wide}")

    assert Settings.load(directory=vpngw.directory).arguments()["allowed_subscriptions"] == (wide,)
    os.environ["GITHUB_ACTIONS"] = "true"
    assert Settings.load(directory=vpngw.directory).arguments()["allowed_subscriptions"] == ()
    os.environ["VPNGW_ALLOWED_SUBSCRIPTIONS"] = wide
    assert Settings.load(directory=vpngw.directory).arguments()["allowed_subscriptions"] == (wide,)
