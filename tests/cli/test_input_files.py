"""Files as they come: byte order marks, line ends, other encodings, no files at all, files of other people."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.another_user import another_user, as_root, let_through
from tests.cli.conftest import HUB, Shell
from vpngw_iac import Workspace
from vpngw_iac.errors import SimulatorDenied, StateDenied
from vpngw_iac.files import UnreadableFile, read_text

PYTHON = """
from vpngw_iac import Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
# Zürich
hub = VirtualNetwork(name="vnet-hub", location="westeurope", resource_group="rg-hub",
                     address_space=["10.1.0.0/16"], gateway_subnet="10.1.255.0/27")
blueprint = SiteToSite(name="hub", gateway=VpnGateway(name="vgw-hub", network=hub, sku="VpnGw1AZ"), sites=[
    Site(name="berlin", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"], shared_key=Secret.env("BERLIN_PSK"))])
"""
JSON = """{"kind": "SiteToSite", "name": "hub",
 "networks": {"hub": {"name": "vnet-hub", "location": "westeurope", "resource_group": "rg-hub",
  "address_space": ["10.1.0.0/16"], "gateway_subnet": "10.1.255.0/27"}},
 "gateways": {"hub": {"name": "vgw-hub", "network": "hub", "sku": "VpnGw1AZ", "tags": {"city": "Zürich"}}},
 "gateway": "hub",
 "sites": [{"name": "berlin", "public_ip": "203.0.113.10", "prefixes": ["192.168.10.0/24"],
  "shared_key": {"source": "env", "name": "BERLIN_PSK"}}]}
"""
TEXTS = {"b.py": PYTHON, "b.yaml": "# Zürich" + HUB, "b.json": JSON}
GOOD = {
    "bom": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "bom and crlf": lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
    "cr": lambda text: text.replace("\n", "\r").encode(),
}
BAD = {
    "utf-16": (lambda text: text.encode("utf-16"), "UTF-16", "iconv -f UTF-16"),
    "utf-16-be": (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), "UTF-16", "iconv -f UTF-16"),
    "utf-16 without mark": (lambda text: text.encode("utf-16-le"), "UTF-16", "iconv -f UTF-16"),
    "utf-32": (lambda text: text.encode("utf-32"), "UTF-32", "iconv -f UTF-32"),
    "latin-1": (lambda text: text.encode("latin-1"), "Latin-1", "iconv -f LATIN1"),
    "gzip": (lambda text: gzip.compress(text.encode()), "packed by gzip", "gunzip --keep"),
    "xz": (lambda text: lzma.compress(text.encode()), "packed by xz", "unxz --keep"),
    "nul": (lambda text: text.encode() + b"\n\0\n", "NUL", "right file"),
}


@pytest.mark.parametrize("shape", GOOD)
@pytest.mark.parametrize("name", TEXTS)
def test_a_blueprint_is_read_whatever_its_mark_and_its_line_ends(vpngw: Shell, name: str, shape: str) -> None:
    (vpngw.directory / name).write_bytes(GOOD[shape](TEXTS[name]))

    vpngw("validate", name, code=0)


@pytest.mark.parametrize("shape", BAD)
@pytest.mark.parametrize("name", TEXTS)
def test_a_blueprint_in_another_encoding_is_told_with_the_way_out(vpngw: Shell, name: str, shape: str) -> None:
    make, what, advice = BAD[shape]
    (vpngw.directory / name).write_bytes(make(TEXTS[name]))

    answer = vpngw("validate", name, code=4)

    said = answer.out + answer.err
    assert what in said
    assert advice in said
    assert name in said
    assert "Traceback" not in said
    assert "bug" not in said


def test_a_python_file_that_names_its_encoding_is_read_in_it(vpngw: Shell) -> None:
    (vpngw.directory / "b.py").write_bytes(b"# -*- coding: latin-1 -*-\n" + PYTHON.encode("latin-1"))

    vpngw("validate", "b.py", code=0)
    (vpngw.directory / "b.py").write_bytes(b"# -*- coding: latin-1 -*-\n" + PYTHON.encode("latin-1") + b"x = (\n")
    assert "Syntax error" in vpngw("validate", "b.py", code=4).out


@pytest.mark.parametrize("shape", GOOD)
def test_settings_env_and_secret_files_are_read_whatever_their_mark(
    vpngw: Shell, environment: dict[str, str], shape: str
) -> None:
    del environment["BERLIN_PSK"]
    vpngw.edit("hub.yaml", "source: env, name: BERLIN_PSK", "source: file, path: key.txt")
    files = {
        "vpngw.toml": 'env_file = "x.env"\n',
        "x.env": "VPNGW_DEPLOYMENT=marked\n",
        "key.txt": "abcdefgh12345678\n",
    }
    for name, text in files.items():
        (vpngw.directory / name).write_bytes(GOOD[shape](text))

    document = vpngw("secret", "check", "hub.yaml", "--json", code=0).document

    assert document["deployment"] == "marked"
    assert not [found for check in document["secrets"] for found in check["findings"] if found["level"] == "error"]


@pytest.mark.parametrize("shape", [shape for shape in BAD if shape != "latin-1"])
@pytest.mark.parametrize(("name", "code"), [("vpngw.toml", 64), ("x.env", 64)])
def test_settings_in_another_encoding_are_told(vpngw: Shell, name: str, code: int, shape: str) -> None:
    make, what, advice = BAD[shape]
    (vpngw.directory / name).write_bytes(make('deployment = "x"\n' if name == "vpngw.toml" else "A=hush\nB=hush\n"))

    answer = vpngw("validate", "hub.yaml", *(["--env-file", name] if name == "x.env" else []), code=code)

    assert what in answer.err
    assert advice in answer.err
    assert "hush" not in answer.err


def test_a_secret_file_in_utf_16_is_told_without_its_content(vpngw: Shell) -> None:
    vpngw.edit("hub.yaml", "source: env, name: BERLIN_PSK", "source: file, path: key.txt")
    (vpngw.directory / "key.txt").write_bytes("abcdefgh12345678\r\n".encode("utf-16"))

    answer = vpngw("secret", "check", "hub.yaml", code=4)

    assert "UTF-16" in answer.out
    assert "abcdefgh" not in answer.out + answer.err


@pytest.mark.parametrize("name", ["b.py", "b.yaml", "b.json", "plan.json"])
def test_what_is_no_file_is_told_at_once(vpngw: Shell, name: str) -> None:
    os.mkfifo(vpngw.directory / name)

    assert "not a file" in vpngw("apply", name, "--yes", code=64).err


@pytest.mark.parametrize(
    "name", ["x" * 300 + ".py", "/" + "x/" * 3000 + "b.py", "hub.yaml/below.py", "loop.py"], ids=len
)
def test_a_path_that_cannot_be_is_no_bug(vpngw: Shell, name: str) -> None:
    (vpngw.directory / "loop.py").symlink_to("loop.py")

    assert "There is no file" in vpngw("plan", name, code=64).err


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "long"])
def test_an_env_file_that_is_no_file_is_told_at_once(vpngw: Shell, kind: str) -> None:
    place = {"device": "/dev/zero", "long": "x" * 300}.get(kind, "x.env")
    if kind == "folder":
        (vpngw.directory / "x.env").mkdir()
    if kind == "pipe":
        (vpngw.directory / "x.env").symlink_to("/dev/full")

    assert "cannot be read" in vpngw("validate", "hub.yaml", "--env-file", place, code=64).err


def test_an_env_file_may_be_what_a_command_writes(vpngw: Shell, environment: dict[str, str]) -> None:
    del environment["BERLIN_PSK"]
    script = f'"{sys.executable}" -m vpngw_iac secret check hub.yaml --env-file <(echo BERLIN_PSK=abcdefgh12345678)'

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60)

    assert "It can be resolved here" in done.stdout, done.stderr


def test_nothing_of_a_file_is_in_the_error_of_reading_it(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"good\nhush\xe4hush\n")

    with pytest.raises(UnreadableFile) as caught:
        read_text(tmp_path / "x")

    assert "line 2" in caught.value.reason
    assert "hush" not in f"{caught.value.reason}{caught.value.advice}"


# --- whose files -----------------------------------------------------------------------------------------------------


def test_an_env_file_that_all_can_read_is_a_warning(vpngw: Shell) -> None:
    (vpngw.directory / "x.env").write_text("A=1\n")
    (vpngw.directory / "x.env").chmod(0o644)
    told = vpngw("validate", "hub.yaml", "--env-file", "x.env", code=0)
    (vpngw.directory / "x.env").chmod(0o600)
    private = vpngw("validate", "hub.yaml", "--env-file", "x.env", code=0)

    assert told.err.startswith("Warning: Every user of this machine can read the env file")
    assert private.err == ""


def test_a_secret_file_that_all_can_read_is_a_finding(vpngw: Shell) -> None:
    vpngw.edit("hub.yaml", "source: env, name: BERLIN_PSK", "source: file, path: key.txt")
    key = vpngw.directory / "key.txt"
    key.write_text("abcdefgh12345678\n")

    found = {}
    for mode in (0o644, 0o600):
        key.chmod(mode)
        findings = vpngw("plan", "hub.yaml", "--json", code=0).document["findings"]
        found[mode] = [finding["level"] for finding in findings if finding["rule"] == "V-SECRET-04"]

    assert found == {0o644: ["warning"], 0o600: []}


@pytest.mark.parametrize("where", [".vpngw", ".vpngw/state"])
def test_a_state_folder_behind_a_link_is_a_finding(vpngw: Shell, where: str) -> None:
    (vpngw.directory / "real").mkdir()
    (vpngw.directory / where).parent.mkdir(exist_ok=True)
    (vpngw.directory / where).symlink_to(vpngw.directory / "real")

    findings = vpngw("apply", "hub.yaml", "--yes", "--json", code=0).document["findings"]

    (told,) = [finding for finding in findings if finding["rule"] == "V-STATE-04"]
    assert told["level"] == "warning"
    assert str(vpngw.directory / "real") in told["detail"]


LOOKING = [("show", "hub.yaml"), ("log", "hub.yaml"), ("state", "list", "hub.yaml"), ("state", "unlock", "hub.yaml")]


@pytest.mark.parametrize("arguments", LOOKING, ids=" ".join)
def test_who_only_looks_is_warned_of_a_link_too(vpngw: Shell, arguments: tuple[str, ...]) -> None:
    (vpngw.directory / "real").mkdir()
    (vpngw.directory / ".vpngw").symlink_to(vpngw.directory / "real")
    vpngw("apply", "hub.yaml", "--yes", code=0)

    answer = vpngw(*arguments, code=0)

    assert "Warning: " in answer.err
    assert "is reached over" in answer.err
    assert str(vpngw.directory / "real") in answer.err
    assert "reached over" not in answer.out


COMMANDS = [
    ("plan", "hub.yaml"),
    ("apply", "hub.yaml", "--yes"),
    ("show", "hub.yaml"),
    ("drift", "hub.yaml"),
    ("log", "hub.yaml"),
    ("state", "list", "hub.yaml"),
    ("state", "unlock", "hub.yaml", "--yes"),
    ("destroy", "hub.yaml", "--yes"),
]


@as_root
@pytest.mark.parametrize("what", ["state", "simulator"])
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_another_users_folder_is_told_with_path_and_owner(hub: Shell, what: str, arguments: tuple[str, ...]) -> None:
    let_through(hub.directory)
    for folder in (hub.directory / ".vpngw", hub.directory / ".vpngw" / what):
        folder.chmod(0o755 if folder.name == ".vpngw" else 0o700)
    other = hub.directory / ".vpngw" / ("simulator" if what == "state" else "state")
    for place in (other, *other.rglob("*")):
        os.chown(place, 4711, 4711)
    if what == "simulator" and arguments[0] in ("log", "state"):
        pytest.skip("asks no cloud")

    with another_user():
        answer = hub(*arguments, code=4)

    assert str(hub.directory / ".vpngw" / what) in answer.err
    assert "root" in answer.err
    assert "bug" not in answer.err


@as_root
@pytest.mark.parametrize("name", ["hub.yaml", "x.env", "key.txt", "vpngw.toml"])
def test_a_file_that_may_not_be_read_is_told_with_path_and_owner(vpngw: Shell, name: str) -> None:
    let_through(vpngw.directory)
    vpngw.edit("hub.yaml", "source: env, name: BERLIN_PSK", "source: file, path: key.txt")
    for each in ("x.env", "key.txt", "vpngw.toml"):
        (vpngw.directory / each).write_text("")
    (vpngw.directory / name).chmod(0o600)
    os.environ["VPNGW_SIMULATOR_DIR"] = str(vpngw.directory / "own")
    (vpngw.directory / "own").mkdir()
    os.chown(vpngw.directory / "own", 4711, 4711)

    with another_user():
        answer = vpngw("secret", "check", "hub.yaml", "--env-file", "x.env", "--state", "/tmp/nowhere-4711", code=4)

    said = " ".join((answer.out + answer.err).split())
    assert name in said
    assert "belongs to root" in said
    assert "bug" not in said


@as_root
def test_the_library_tells_a_denied_state_and_a_denied_simulator(hub: Shell) -> None:
    let_through(hub.directory)
    session = Workspace("simulator", directory=hub.directory).session_named("hub")
    (hub.directory / ".vpngw").chmod(0o755)

    with another_user():
        with pytest.raises(StateDenied, match="belongs to root"):
            session.store().load()
        with pytest.raises(SimulatorDenied, match="belongs to root"):
            session.simulator.documents()


def test_a_plan_that_cannot_be_saved_leaves_the_older_one(vpngw: Shell) -> None:
    vpngw("plan", "hub.yaml", "-o", "plan.json", code=0)
    before = (vpngw.directory / "plan.json").read_text()

    vpngw("plan", "hub.yaml", "-o", "/dev/full", code=64)
    vpngw("plan", "hub.yaml", "-o", "x" * 300, code=64)
    vpngw("plan", "hub.yaml", "-o", "hub.yaml/x", code=64)
    vpngw("plan", "hub.yaml", "-o", "plan.json", code=0)

    assert (vpngw.directory / "plan.json").read_text() != ""
    assert before
    assert sorted(p.name for p in vpngw.directory.iterdir() if p.name.startswith(".p")) == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir() or shutil.disk_usage("/dev/shm").total == 0, reason="no /dev/shm")
def test_a_state_below_a_file_is_no_bug(vpngw: Shell) -> None:
    answer = vpngw("apply", "hub.yaml", "--yes", "--state", "hub.yaml/below", code=1)

    assert "bug" not in answer.err
    assert "hub.yaml/below" in answer.err
