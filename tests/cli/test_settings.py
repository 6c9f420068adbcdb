"""Where a setting may stand, and which place wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from vpngw_iac.errors import UsageError
from vpngw_iac.usecases.settings import Settings, setting_names

PLACES = ("flag", "environment", "env-file", "file", "default")


@pytest.mark.parametrize("highest", range(len(PLACES)))
def test_flag_beats_environment_beats_env_file_beats_file_beats_default(tmp_path: Path, highest: int) -> None:
    (tmp_path / "settings.env").write_text("VPNGW_STATE=env-file\n" if highest <= 2 else "OTHER=1\n")
    (tmp_path / "vpngw.toml").write_text('state = "file"\n' if highest <= 3 else "")
    environment = {"VPNGW_STATE": "environment"} if highest <= 1 else {}
    flag = "flag" if highest == 0 else None

    settings = Settings.load(env_file="settings.env", directory=tmp_path, environment=environment, state=flag)

    assert settings.state == (None if highest == 4 else PLACES[highest])


def test_names_of_other_azure_tools_count_when_ours_are_not_set(tmp_path: Path) -> None:
    azure = {"AZURE_SUBSCRIPTION_ID": "a", "ARM_SUBSCRIPTION_ID": "b", "ARM_TENANT_ID": "c"}

    theirs = Settings.load(directory=tmp_path, environment=azure)
    ours = Settings.load(directory=tmp_path, environment=azure | {"VPNGW_SUBSCRIPTION": "d"})

    assert (theirs.subscription, theirs.tenant) == ("a", "c")
    assert ours.subscription == "d"


def test_the_env_file_and_the_settings_file_reach_the_environment_of_secrets(tmp_path: Path) -> None:
    (tmp_path / "x.env").write_text("# keys\nexport KEY='a b#c'\nBOTH=file\n\nEMPTY=\n")
    (tmp_path / "vpngw.toml").write_text('simulator-dir = "here"\n')

    settings = Settings.load(env_file="x.env", directory=tmp_path, environment={"BOTH": "real"})

    assert settings.environment["KEY"] == "a b#c"
    assert settings.environment["BOTH"] == "real"
    assert settings.environment["VPNGW_SIMULATOR_DIR"] == "here"
    assert "a b#c" not in repr(settings)
    assert "a b#c" not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('clowd = "public"', "Did you mean 'cloud'?"),
        ("cloud = 7", "cloud"),
        ("cloud = ", "cannot be read"),
        ("simulator_speed = -1", "simulator_speed"),
        ('no_color = "perhaps"', "no_color"),
        ("nonsense = 1", "It may hold"),
    ],
)
def test_a_wrong_settings_file_is_told_with_what_to_do(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "vpngw.toml").write_text(text)

    with pytest.raises(UsageError) as caught:
        Settings.load(directory=tmp_path, environment={})

    assert told in f"{caught.value.message} {caught.value.advice}"


def test_a_wrong_variable_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Settings.load(directory=tmp_path, environment={"VPNGW_SIMULATOR_SPEED": "fast"})

    assert "VPNGW_SIMULATOR_SPEED" in caught.value.advice


@pytest.mark.parametrize("text", ["GOOD=1\nnot a variable at all\n", "GOOD=1\n'\n", "GOOD=1\nNAME\n"])
def test_a_wrong_env_file_is_told_by_line_without_its_content(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.env").write_text(text.replace("GOOD=1", "KEY=hush"))

    with pytest.raises(UsageError) as caught:
        Settings.load(env_file="x.env", directory=tmp_path, environment={})

    assert "Line 2" in caught.value.message
    assert "hush" not in caught.value.message


def test_an_env_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Settings.load(env_file="nowhere.env", directory=tmp_path, environment={})


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert Settings.load(directory=tmp_path, environment={"VPNGW_CLOUD": ""}).cloud == "public"


def test_every_setting_has_a_place_in_all_sources() -> None:
    assert {"cloud", "state", "deployment", "subscription", "tenant", "resource_group", "json"} <= set(setting_names())


def test_the_deployment_option_gives_one_blueprint_a_second_state(vpngw: Shell) -> None:
    vpngw("apply", "hub.yaml", "--yes", code=0)

    other = vpngw("show", "hub.yaml", "--deployment", "staging", code=0)

    assert "Nothing of staging is deployed." in other.out


def test_settings_from_a_file_reach_a_command(vpngw: Shell, environment: dict[str, str]) -> None:
    del environment["VPNGW_CLOUD"]
    vpngw.write("vpngw.toml", 'cloud = "simulator"\ndeployment = "from-file"\n')

    answer = vpngw("plan", "hub.yaml", "--json", code=0).document

    assert (answer["cloud"], answer["deployment"]) == ("simulator", "from-file")


@pytest.mark.parametrize("named_by", ["flag", "variable", "settings file"])
def test_the_env_file_holds_secrets_for_a_command(vpngw: Shell, environment: dict[str, str], named_by: str) -> None:
    key = environment.pop("BERLIN_PSK")
    vpngw.write("keys.env", f"BERLIN_PSK={key}\n")

    missing = vpngw("secret", "check", "hub.yaml", code=4)
    if named_by == "variable":
        environment["VPNGW_ENV_FILE"] = "keys.env"
    elif named_by == "settings file":
        vpngw.write("vpngw.toml", 'env-file = "keys.env"\n')
    flag = ["--env-file", "keys.env"] if named_by == "flag" else []
    found = vpngw("secret", "check", "hub.yaml", *flag, code=0)

    assert "BERLIN_PSK is not set" in missing.out
    assert "It can be resolved here." in found.out


@pytest.mark.parametrize(("cloud", "told"), [("simulater", "did you mean 'simulator'"), ("aws", "write public, ")])
def test_a_cloud_that_is_none_is_told_before_a_subscription_is_asked_for(vpngw: Shell, cloud: str, told: str) -> None:
    answer = vpngw("plan", "hub.yaml", "--cloud", cloud, code=64)

    assert f"'{cloud}' is not a cloud" in answer.err
    assert told in answer.err
    assert "Correct --cloud." in answer.err
