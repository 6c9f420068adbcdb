"""Root certificates in every form that people have them in, and what is refused."""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.blueprints.samples import ROOT
from vpngw_iac import Certificates, PointToSite, RootCertificate, load
from vpngw_iac.errors import InvalidValue

PEM = (ROOT / "blueprints" / "certificates" / "example-root.pem").read_text(encoding="ascii")
DATA = "".join(line for line in PEM.splitlines() if "-----" not in line)


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM.replace("\n", "\r\n"),
        f"subject=Example\n{PEM}\n",
        DATA,
        "\n".join(textwrap.wrap(DATA, 76)),
        base64.b64encode(PEM.encode()).decode(),
    ],
    ids=["pem", "windows line ends", "text around it", "one line", "wrapped", "encoded twice"],
)
def test_every_form_of_a_certificate_becomes_one_line(text: str) -> None:
    assert RootCertificate.pem("root", text).data == DATA
    assert RootCertificate.base64("root", text).data == DATA


def test_files_are_read_as_pem_and_as_der(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(PEM, encoding="ascii")
    (tmp_path / "root.cer").write_bytes(base64.b64decode(DATA))

    assert RootCertificate.file("root", tmp_path / "root.pem").data == DATA
    assert RootCertificate.file("root", tmp_path / "root.cer").data == DATA


def test_a_path_is_relative_to_the_file_that_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    blueprint = load(ROOT / "blueprints" / "point_to_site_certificates.py").blueprint

    assert isinstance(blueprint, PointToSite)
    way = blueprint.authentication[0]
    assert isinstance(way, Certificates)
    assert way.roots[0].data == DATA


def test_a_path_in_yaml_is_relative_to_the_yaml_file(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text(PEM, encoding="ascii")
    document = {
        "kind": "PointToSite",
        "name": "case",
        "gateway": {
            "name": "vgw",
            "sku": "VpnGw2AZ",
            "network": {"name": "v", "location": "westeurope", "address_space": "10.1.0.0/16"},
        },
        "protocols": "OpenVPN",
        "address_pool": "172.20.0.0/24",
        "authentication": {"roots": [{"name": "a", "file": "root.pem"}, {"name": "b", "pem": PEM}]},
    }
    document["authentication"]["roots"].append({"name": "c", "key_vault": {"vault": "kv", "name": "root"}})
    (tmp_path / "case.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    blueprint = load(tmp_path / "case.yaml").blueprint

    assert isinstance(blueprint, PointToSite)
    way = blueprint.authentication[0]
    assert isinstance(way, Certificates)
    assert [root.data for root in way.roots] == [DATA, DATA, "key-vault:kv/root"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PEM + PEM, "There are 2 certificates"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "holds a private key"),
        ("not a certificate!", "This is not a certificate"),
        (base64.b64encode(b"hello world").decode(), "its content is not X.509"),
    ],
)
def test_what_is_no_public_certificate_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        RootCertificate(name="root", pem=text)  # type: ignore[call-arg]


def test_a_file_that_is_not_there_is_told_by_its_path() -> None:
    with pytest.raises(InvalidValue, match=r"nowhere\.pem cannot be read: No such file"):
        RootCertificate(name="root", file="nowhere.pem")  # type: ignore[call-arg]


def test_a_name_with_a_space_is_refused() -> None:
    with pytest.raises(InvalidValue, match="name"):
        RootCertificate.pem("my root", PEM)


def test_the_facts_of_a_certificate_are_read_when_they_are_asked_for() -> None:
    facts = RootCertificate.pem("root", PEM).facts()

    assert facts.subject == "CN=Example VPN Root,O=Example Ltd"
    assert facts.is_authority
    assert facts.is_self_signed
    assert (facts.key_type, facts.key_bits) == ("RSA", 2048)
    assert facts.not_after == "2065-01-01T00:00:00Z"
    assert len(facts.thumbprint) == 40
