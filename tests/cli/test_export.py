"""`vpngw export`: data on stdout, talk on stderr, files where they are asked for, 2 for what no template can say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

FOLDER = Path(__file__).resolve().parents[2] / "blueprints"
OFFICE = str(FOLDER / "one_site.py")


def test_a_template_goes_to_stdout_and_how_to_deploy_it_to_stderr(vpngw: Shell) -> None:
    answer = vpngw("export", OFFICE)

    assert answer.code == 0
    template = json.loads(answer.out)
    assert template["contentVersion"] == "1.0.0.0"
    assert "az deployment group create --name one-site --resource-group rg-office" in answer.err
    assert 'berlinPsk="$BERLIN_PSK"' in answer.err


def test_files_are_written_where_they_are_asked_for(vpngw: Shell, tmp_path: Path) -> None:
    answer = vpngw("export", OFFICE, "-o", str(tmp_path / "a" / "b"))

    assert answer.code == 0
    assert f"Written: {tmp_path}/a/b/one-site.json" in answer.out
    assert answer.err == ""
    assert json.loads((tmp_path / "a" / "b" / "one-site.json").read_text())["resources"]
    assert answer.out.count(f"--template-file {tmp_path}/a/b/one-site.json") == 2


def test_what_no_template_can_say_is_told_on_stderr(vpngw: Shell, tmp_path: Path) -> None:
    answer = vpngw("export", str(FOLDER / "expressroute.py"), "-o", str(tmp_path))

    assert answer.code == 2
    assert "What no template can say:" in answer.err
    assert "Circuit/erc-amsterdam" in answer.err
    assert "Circuit/erc-amsterdam" not in answer.out


def test_what_azure_would_refuse_is_written_and_told_on_stderr(vpngw: Shell, tmp_path: Path) -> None:
    vpngw.edit("hub.yaml", "192.168.10.0/24", "10.1.8.0/24")

    printed = vpngw("export", "hub.yaml", code=2)
    document = vpngw("export", "hub.yaml", "--json", code=2).document

    assert json.loads(printed.out)["resources"]
    assert "R-LNG-06" in printed.err
    assert "Azure would refuse this: 1 error above. It is written as it is." in printed.err
    assert "R-PSK-03" not in printed.err, "a warning refuses nothing"
    assert [(f["rule"], f["location"]) for f in document["findings"]] == [("R-LNG-06", "hub.yaml:11")]


def test_it_needs_neither_secret_nor_sign_in(vpngw: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BERLIN_PSK", raising=False)
    assert vpngw("export", OFFICE, "--cloud", "public").code == 0


@pytest.mark.parametrize("name", ["bicep", "terraform"])
def test_what_is_not_written_is_refused_with_what_to_do(vpngw: Shell, name: str) -> None:
    answer = vpngw("export", OFFICE, "--format", name)
    assert answer.code == 64
    assert "--format arm" in answer.err


def test_a_file_in_the_place_of_the_folder_is_told(vpngw: Shell, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    answer = vpngw("export", OFFICE, "-o", str(tmp_path / "out"))
    assert answer.code == 64
    assert "is no folder" in answer.err
