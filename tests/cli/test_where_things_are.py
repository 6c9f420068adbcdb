"""Where settings and states are found, and what is refused as the place of a state."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.another_user import another_user, as_root, let_through
from tests.cli.conftest import Shell
from vpngw_iac import Workspace
from vpngw_iac.errors import FileDenied, UsageError
from vpngw_iac.state_url import BlobPlace, FolderPlace, read_state_url
from vpngw_iac.usecases.settings import Settings

UNKNOWN = [
    ("azblobs://acct/c/p", "azblob://acct/c/p"),
    ("azblb://acct/c/p", "azblob://acct/c/p"),
    ("AZBLOB://acct/c/p", "Write azblob in lower case: azblob://acct/c/p"),
    ("https://acct.blob.core.windows.net/c/p", "Write azblob://acct/c/p."),
    ("https://acct.blob.core.windows.net/c/p?sv=1&sig=hush", "Write azblob://acct/c/p."),
    ("HTTPS://acct.blob.core.usgovcloudapi.net/c", "Write azblob://acct/c."),
    ("abfss://c@acct.dfs.core.windows.net/p", "Write azblob://acct/p."),
    ("acct.blob.core.windows.net/c/p", "Write azblob://acct/c/p."),
    ("azblob://acct.blob.core.windows.net/c/p", "Write azblob://acct/c/p."),
    ("s3://bucket/key", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("gs://bucket", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("http://example.com/state", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("s3:bucket", "write ./s3:bucket"),
    ("azblob:acct/c", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("azblob:/acct/c", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("azblob//acct/c", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("azblob://acct", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("azblob://Acct/c/p", "lower case: acct"),
    ("azblob://acct/c/p?endpont=https://x", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("azblob://acct/c/p?sv=1&sig=hush", "AZURE_STORAGE_KEY"),
    ("azblob://acct/c/../d", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("azblob://acct/c/p#x", "azblob://ACCOUNT/CONTAINER/PREFIX"),
    ("file:/srv/x", "Write file:///srv/x."),
    ("file://srv/x", "file:///"),
    ("file:x", "file:///"),
    ("FILE:///srv/x", "lower case"),
    ("file:///srv/x?y", "%3F"),
    (r"c:\states", "a folder of this machine"),
    ("C:/states", "a folder of this machine"),
    (r"\\server\share", "a folder of this machine"),
    (r"states\dev", "a folder of this machine"),
    ("~/states", "the whole path"),
    ("$HOME/states", "the whole path"),
    ("${HOME}/states", "the whole path"),
    ("a\0b", "folder"),
]


@pytest.mark.parametrize(("text", "advice"), UNKNOWN, ids=[text.replace("\0", "NUL") for text, _ in UNKNOWN])
def test_what_is_no_place_of_a_state_is_refused_and_makes_no_folder(vpngw: Shell, text: str, advice: str) -> None:
    vpngw.write("vpngw.toml", f"state = {text!r}\n" if "\0" not in text else 'state = "a\\u0000b"\n')
    before = sorted(vpngw.directory.iterdir())

    answer = vpngw("apply", "hub.yaml", "--yes", code=64)

    assert advice in answer.err
    assert "hush" not in answer.err
    assert sorted(vpngw.directory.iterdir()) == before
    with pytest.raises(UsageError):
        Workspace("simulator", state=text, directory=vpngw.directory)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("states", FolderPlace(Path("states"))),
        ("./s3:bucket", FolderPlace(Path("s3:bucket"))),
        ("/srv/a b", FolderPlace(Path("/srv/a b"))),
        ("file:///srv/a%20b", FolderPlace(Path("/srv/a b"))),
        ("file://localhost/srv/x", FolderPlace(Path("/srv/x"))),
        ("azblob://acct/c/p", BlobPlace("acct", "c", "p", "")),
        ("azblob://acct/c/p/?endpoint=http://127.0.0.1:1/acct", BlobPlace("acct", "c", "p", "http://127.0.0.1:1/acct")),
    ],
)
def test_a_place_is_read(text: str, place: FolderPlace | BlobPlace) -> None:
    assert read_state_url(text) == place


def test_a_folder_url_that_a_plan_shows_names_the_same_folder_again(vpngw: Shell) -> None:
    vpngw("apply", "hub.yaml", "--yes", "--state", "my states", code=0)
    url = vpngw("plan", "hub.yaml", "--state", "my states", "--json", code=0).document["state"]
    root = url.removesuffix("/simulator/hub")

    assert "%20" in root
    assert "No changes" in vpngw("plan", "hub.yaml", "--state", root, code=0).out


# --- vpngw.toml ------------------------------------------------------------------------------------------------------


@pytest.fixture
def project(vpngw: Shell, environment: dict[str, str]) -> Shell:
    """A repository whose settings choose the simulator; the shell is in ``dev`` below it."""
    del environment["VPNGW_CLOUD"]
    (vpngw.directory / ".git").mkdir()
    vpngw.write("vpngw.toml", 'cloud = "simulator"\n')
    (vpngw.directory / "dev" / "deeper").mkdir(parents=True)
    shutil.copy(vpngw.directory / "hub.yaml", vpngw.directory / "dev")
    os.chdir(vpngw.directory / "dev")
    return vpngw


def test_a_folder_below_uses_the_settings_the_state_and_the_simulator_of_the_project(project: Shell) -> None:
    os.chdir(project.directory)
    project("apply", "hub.yaml", "--yes", code=0)
    os.chdir(project.directory / "dev" / "deeper")

    plan = project("plan", "../hub.yaml", code=0)

    assert "No changes" in plan.out
    first = plan.out.splitlines()[0]
    assert "simulator" in first
    assert first.endswith(
        f"state {(project.directory / '.vpngw/state/simulator/hub').as_uri()}, "
        f"settings {project.directory / 'vpngw.toml'}"
    )
    assert not (project.directory / "dev" / "deeper" / ".vpngw").exists()
    document = project("plan", "../hub.yaml", "--json", code=0).document
    assert document["settings"] == str(project.directory / "vpngw.toml")
    assert "rg-hub" in project("simulator", "show", code=0).out


def test_the_library_finds_the_same(project: Shell) -> None:
    project("apply", "hub.yaml", "--yes", code=0)

    workspace = Workspace.from_config(directory=project.directory / "dev")

    assert len(workspace.session_named("hub").store().load().state.entries) == 7  # type: ignore[union-attr]
    assert workspace.session_named("hub").simulator.documents()


@pytest.mark.parametrize("git", ["file", "nothing"])
def test_a_worktree_is_a_repository_and_without_one_the_way_goes_on(project: Shell, git: str) -> None:
    shutil.rmtree(project.directory / ".git")
    if git == "file":
        (project.directory / ".git").write_text("gitdir: elsewhere\n")

    assert Settings.load(environment={}).origin.file == project.directory / "vpngw.toml"


@pytest.mark.parametrize("git", ["folder", "file"])
def test_the_settings_of_an_outer_repository_are_not_ours(project: Shell, git: str) -> None:
    inner = project.directory / "dev" / ".git"
    inner.mkdir() if git == "folder" else inner.write_text("gitdir: ../.git/modules/dev\n")

    settings = Settings.load(environment={})

    assert settings.origin.file is None
    assert settings.cloud == "public"


def test_a_home_directory_without_repository_is_the_end_of_the_way(project: Shell) -> None:
    shutil.rmtree(project.directory / ".git")
    os.environ["HOME"] = str(project.directory / "dev")
    os.chdir("deeper")

    assert Settings.load(environment={}).origin.file is None


def test_a_working_directory_behind_a_link_is_in_the_project_it_leads_to(project: Shell) -> None:
    link = project.directory.parent / f"{project.directory.name}-link"
    link.symlink_to(project.directory / "dev")

    assert Settings.load(directory=link, environment={}).origin.file == project.directory / "vpngw.toml"


def test_relative_paths_start_where_they_are_said(project: Shell, environment: dict[str, str]) -> None:
    dev = project.directory / "dev"
    project.write("vpngw.toml", 'cloud = "simulator"\nstate = "states"\nsimulator-dir = "sim"\nenv-file = "keys.env"\n')
    project.write("keys.env", "BERLIN_PSK=fromTheFile\nVPNGW_DEPLOYMENT=filed\n")
    (dev / "own.env").write_text("VPNGW_STATE=mine\n")

    told = Settings.load(environment={})
    flagged = Settings.load(environment={}, state="here", env_file="own.env")
    variable = Settings.load(environment={"VPNGW_STATE": "there", "VPNGW_SIMULATOR_DIR": "sim2"})
    filed = Settings.load(environment={}, env_file="own.env")

    assert told.state_place == str(project.directory / "states")
    assert told.simulator_folder == project.directory / "sim"
    assert (told.deployment, told.environment["BERLIN_PSK"]) == ("filed", "fromTheFile")
    assert flagged.state_place == str(dev / "here")
    assert (variable.state_place, variable.simulator_folder) == (str(dev / "there"), dev / "sim2")
    assert filed.state_place == str(dev / "mine")


def test_an_env_file_of_the_settings_file_says_paths_from_there(project: Shell) -> None:
    project.write("vpngw.toml", 'cloud = "simulator"\nenv-file = "ci.env"\n')
    project.write("ci.env", "VPNGW_STATE=states\nVPNGW_SIMULATOR_DIR=sim\n")

    settings = Settings.load(environment={})

    assert settings.state_place == str(project.directory / "states")
    assert settings.simulator_folder == project.directory / "sim"


def test_secret_files_start_at_the_blueprint_wherever_the_settings_are(project: Shell) -> None:
    text = (
        (project.directory / "hub.yaml").read_text().replace("source: env, name: BERLIN_PSK", "source: file, path: k")
    )
    (project.directory / "dev" / "deeper" / "hub.yaml").write_text(text)
    (project.directory / "dev" / "deeper" / "k").write_text("abcdefgh12345678\n")

    assert "It can be resolved here" in project("secret", "check", "deeper/hub.yaml", code=0).out


def old_state(project: Shell) -> None:
    """A state in ``dev`` as made before anybody looked upwards."""
    hidden = project.directory / "hidden.toml"
    (project.directory / "vpngw.toml").rename(hidden)
    project("apply", "hub.yaml", "--yes", "--cloud", "simulator", code=0)
    hidden.rename(project.directory / "vpngw.toml")
    assert (project.directory / "dev/.vpngw/state/simulator/hub/state.json").exists()


def test_a_state_in_the_working_directory_is_used_and_named(project: Shell) -> None:
    old_state(project)

    plan = project("plan", "hub.yaml", code=0)

    assert "No changes" in plan.out
    assert (project.directory / "dev/.vpngw/state/simulator/hub").as_uri() in plan.out.splitlines()[0]
    other = project("plan", "hub.yaml", "--deployment", "other", "--json", code=4).document
    assert other["state"] == (project.directory / ".vpngw/state/simulator/other").as_uri()


def test_two_states_of_a_deployment_are_refused_with_both_named(project: Shell) -> None:
    old_state(project)
    shutil.copytree(project.directory / "dev/.vpngw", project.directory / ".vpngw")

    answer = project("plan", "hub.yaml", code=64)

    assert str(project.directory / "dev/.vpngw/state") in answer.err
    assert str(project.directory / ".vpngw/state") in answer.err
    project("plan", "hub.yaml", "--state", ".vpngw/state", code=0)
    with pytest.raises(UsageError, match="two states"):
        Workspace.from_config().session_named("hub").store()


@pytest.mark.parametrize("state", ["states", "azblob://acct/c/p"])
def test_a_state_that_the_settings_name_and_one_in_the_working_directory(project: Shell, state: str) -> None:
    old_state(project)
    project.write("vpngw.toml", f'cloud = "simulator"\nstate = "{state}"\n')

    if state == "states":
        assert "No changes" in project("plan", "hub.yaml", code=0).out
    else:
        assert state in project("plan", "hub.yaml", code=64).err


# --- a settings file that cannot be used -----------------------------------------------------------------------------


def test_a_settings_file_that_is_a_folder_is_told(project: Shell) -> None:
    (project.directory / "vpngw.toml").unlink()
    (project.directory / "vpngw.toml").mkdir()

    assert "is a folder; settings stand in a file" in project("plan", "hub.yaml", code=64).err


def test_a_settings_file_that_leads_nowhere_is_told(project: Shell) -> None:
    (project.directory / "vpngw.toml").unlink()
    (project.directory / "vpngw.toml").symlink_to("gone.toml")

    assert "leads nowhere" in project("plan", "hub.yaml", code=64).err


def test_a_settings_file_that_is_a_pipe_is_told_at_once(project: Shell) -> None:
    (project.directory / "vpngw.toml").unlink()
    os.mkfifo(project.directory / "vpngw.toml")

    assert "no plain file" in project("plan", "hub.yaml", code=64).err


def test_a_working_directory_that_is_gone_is_told(project: Shell) -> None:
    gone = project.directory / "dev" / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()

    assert "working directory" in project("plan", str(project.directory / "hub.yaml"), code=64).err


@as_root
def test_a_settings_file_of_another_user_above_is_not_obeyed_without_a_repository(project: Shell) -> None:
    shutil.rmtree(project.directory / ".git")
    os.chown(project.directory / "vpngw.toml", 4711, 4711)

    with pytest.raises(FileDenied, match="belongs to user 4711"):
        Settings.load(environment={})


@as_root
def test_a_settings_file_that_may_not_be_read_is_told_with_its_owner(project: Shell) -> None:
    (project.directory / "vpngw.toml").chmod(0o600)
    let_through(project.directory)
    os.environ["HOME"] = "/nowhere"

    with another_user():
        answer = project("validate", "hub.yaml", code=4)

    assert f"{project.directory / 'vpngw.toml'} belongs to root (mode 0600)" in answer.err


# --- a saved plan and the settings -----------------------------------------------------------------------------------

OTHER = "99999999-9999-4999-8999-999999999999"


@pytest.mark.parametrize("by", ["flag", "variable", "settings file"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("subscription", OTHER),
        ("cloud", "public"),
        ("tenant", OTHER),
        ("state", "elsewhere"),
        ("deployment", "other"),
        ("resource_group", "rg-other"),
    ],
)
def test_a_saved_plan_refuses_a_setting_that_is_not_its_own(
    vpngw: Shell, environment: dict[str, str], name: str, value: str, by: str
) -> None:
    del environment["VPNGW_CLOUD"]
    planned = vpngw("plan", "hub.yaml", "-o", "plan.json", "--cloud", "simulator", "--json", code=0).document
    flags = [f"--{name.replace('_', '-')}", value] if by == "flag" else []
    if by == "variable":
        environment[f"VPNGW_{name.upper()}"] = value
    elif by == "settings file":
        vpngw.write("vpngw.toml", f'{name} = "{value}"\n')

    answer = vpngw("apply", "plan.json", *flags, code=64)

    own = {"state": planned["state"], "tenant": "", "resource_group": "none"}.get(name, str(planned.get(name)))
    assert value in answer.err
    assert own in answer.err
    assert vpngw("simulator", "show", code=0).out.count("virtualNetworkGateways") == 0


@pytest.mark.parametrize("planned", [None, "strict"])
def test_a_saved_plan_refuses_another_profile(vpngw: Shell, environment: dict[str, str], planned: str | None) -> None:
    profile = ["--profile", planned] if planned else []
    vpngw("plan", "hub.yaml", "-o", "plan.json", *profile)
    environment["VPNGW_PROFILE"] = "cnsa" if planned else "strict"

    answer = vpngw("apply", "plan.json", code=64)

    assert environment["VPNGW_PROFILE"] in answer.err
    assert (planned or "none") in answer.err


def test_a_saved_plan_takes_what_was_not_said_from_itself(vpngw: Shell, environment: dict[str, str]) -> None:
    del environment["VPNGW_CLOUD"]
    vpngw("plan", "hub.yaml", "-o", "plan.json", "--cloud", "simulator", code=0)

    vpngw("apply", "plan.json", code=0)


def test_a_saved_plan_accepts_its_own_settings_however_they_are_cased(vpngw: Shell) -> None:
    planned = vpngw("plan", "hub.yaml", "-o", "plan.json", "--json", code=0).document

    vpngw("apply", "plan.json", "--subscription", planned["subscription"].upper(), "--state", ".vpngw/state", code=0)


def test_a_state_folder_that_was_moved_with_its_key_is_the_plans(vpngw: Shell) -> None:
    vpngw("plan", "hub.yaml", "-o", "plan.json", "--state", "a", code=0)
    (vpngw.directory / "a").rename(vpngw.directory / "b")

    vpngw("apply", "plan.json", "--state", "b", code=0)
