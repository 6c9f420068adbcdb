"""Root certificates whose text is a secret in Key Vault: read at plan, compared by content, refused with a key."""

from __future__ import annotations

import base64
import copy
import textwrap
from typing import Any

import pytest
from pydantic import ValidationError

from tests.preflight.certificates import certificate
from tests.workspace.conftest import Harness
from tests.workspace.test_spellings_of_others import ID, in_lines, respelled
from tests.workspace.test_spellings_of_others import clients as with_roots
from vpngw_iac.blueprints.client import Certificates, RootCertificate
from vpngw_iac.blueprints.point_to_site import PointToSite
from vpngw_iac.engine.plan.change import Action
from vpngw_iac.errors import InvalidValue, SecretError
from vpngw_iac.secret import KeyVaultCertificate

VAULT, SECRET = "kv-network", "corp-root"


def pem(kind: str) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{textwrap.fill(certificate(kind), 64)}\n-----END CERTIFICATE-----\n"


def clients(**more: Any) -> PointToSite:
    root = RootCertificate.key_vault("root", vault=VAULT, secret=SECRET, **more)
    return with_roots(authentication=[Certificates(roots=[root])])


@pytest.mark.parametrize("text", [pem("rsa"), certificate("rsa")], ids=["PEM", "Base-64"])
def test_the_certificate_of_the_vault_is_sent(text: str, harness: Harness) -> None:
    harness.simulator.vault.put(VAULT, SECRET, text)

    harness.create(clients())

    block = harness.document(ID)["properties"]["vpnClientConfiguration"]
    assert [root["properties"]["publicCertData"] for root in block["vpnClientRootCertificates"]] == [certificate("rsa")]


def test_another_spelling_in_azure_or_in_the_vault_is_no_difference(harness: Harness) -> None:
    harness.simulator.vault.put(VAULT, SECRET, pem("rsa"))
    blueprint = harness.create(clients())

    respelled(harness, vpnClientRootCertificates=in_lines())
    harness.simulator.vault.put(VAULT, SECRET, certificate("rsa") + "\n")

    assert harness.changes(blueprint) == {}


def test_another_certificate_in_the_vault_is_a_change(harness: Harness) -> None:
    harness.simulator.vault.put(VAULT, SECRET, pem("rsa"))
    blueprint = harness.create(clients())
    harness.simulator.vault.put(VAULT, SECRET, pem("expiring"))

    plan = harness.plan(blueprint)

    assert [(change.address, change.action) for change in plan.changes] == [("VpnGateway/vgw-hub", Action.UPDATE)]
    assert "R-CERTP-06" in {finding.rule for finding in plan.findings}  # what is in the vault is judged too


def pkcs12() -> str:
    """What the secret of a Key Vault certificate holds: Base-64 that begins as a certificate does."""
    return base64.b64encode(b"\x30\x82\x0a\x00 a certificate and its private key").decode()


KEPT_TOGETHER = f"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n{pem('rsa')}"


@pytest.mark.parametrize("text", [KEPT_TOGETHER, pkcs12(), "a password", pem("rsa") * 2])
def test_what_is_not_a_certificate_alone_is_refused_and_never_shown(text: str, harness: Harness) -> None:
    harness.simulator.vault.put(VAULT, SECRET, text)

    for use in (harness.plan, harness.apply):
        with pytest.raises(SecretError) as refused:
            use(clients())
        said = f"{refused.value} {refused.value.advice}"
        assert "key-vault:kv-network/corp-root is not a public certificate alone" in said
        assert "private key" in said
        assert refused.value.__context__ is None  # whose errors would hold the text
        assert text not in said
        assert "MIIEvQ" not in said
    assert not harness.exists(ID)


def test_a_secret_that_is_not_there_is_named_and_not_made_up(harness: Harness) -> None:
    with pytest.raises(SecretError, match="There is no secret key-vault:kv-network/corp-root") as refused:
        harness.plan(clients())

    assert "VPNGW_SECRET_CORP_ROOT" in refused.value.advice
    assert harness.simulator.vault.names() == ()

    harness.environment["VPNGW_SECRET_CORP_ROOT"] = pem("rsa")
    harness.create(clients())


def test_destroy_needs_no_vault(harness: Harness) -> None:
    harness.simulator.vault.put(VAULT, SECRET, pem("rsa"))
    harness.create(clients())
    harness.simulator.vault.put(VAULT, SECRET, "lost")

    assert harness.destroy(clients()).outcome == "succeeded"


def test_a_saved_plan_sends_the_certificate_that_was_reviewed(harness: Harness) -> None:
    harness.simulator.vault.put(VAULT, SECRET, pem("rsa"))
    saved = copy.deepcopy(harness.workspace().save_plan(harness.plan(clients())))
    harness.simulator.vault.put(VAULT, SECRET, pem("expiring"))

    outcome = harness.apply(harness.workspace().load_plan(saved))

    assert outcome.outcome == "succeeded"
    block = harness.document(ID)["properties"]["vpnClientConfiguration"]
    assert [root["properties"]["publicCertData"] for root in block["vpnClientRootCertificates"]] == [certificate("rsa")]


def test_each_way_of_writing_is_the_same_reference(harness: Harness) -> None:
    said = {"vault": VAULT, "name": SECRET}
    for written, describes in (
        (RootCertificate.key_vault("root", VAULT, SECRET), "key-vault:kv-network/corp-root"),
        (RootCertificate.model_validate({"name": "root", "key_vault": said}), "key-vault:kv-network/corp-root"),
        (RootCertificate.key_vault("root", VAULT, SECRET, version="0a1b"), "key-vault:kv-network/corp-root/0a1b"),
        (
            RootCertificate.key_vault("root", "https://kv-network.vault.azure.net", SECRET),
            "key-vault:https://kv-network.vault.azure.net/corp-root",
        ),
    ):
        assert written.data == describes
        found = KeyVaultCertificate.described(written.data)
        assert found is not None
        assert found.describe() == describes
        assert found.name == SECRET


@pytest.mark.parametrize(
    "where",
    [{"vault": VAULT}, {"vault": VAULT, "name": "a b"}, {"vault": VAULT, "name": SECRET, "version": "a/b"}, "kv/root"],
)
def test_a_reference_that_names_nothing_is_refused(where: object) -> None:
    with pytest.raises((InvalidValue, ValidationError), match="key_vault"):
        RootCertificate.model_validate({"name": "root", "key_vault": where})


def test_offline_the_reference_stands_for_the_certificate(harness: Harness) -> None:
    compiled = harness.workspace().compile(clients())

    assert "key-vault:kv-network/corp-root" in str(compiled.graph.resources["VpnGateway/vgw-hub"].body())
    assert not [f for f in harness.workspace().validate(clients()).findings if f.rule.startswith("R-CERTP")]


def test_secret_check_resolves_it_too(harness: Harness) -> None:
    first = harness.workspace().check_secrets(clients())
    harness.simulator.vault.put(VAULT, SECRET, pem("rsa"))
    then = harness.workspace().check_secrets(clients())

    assert [(check.reference, check.ok) for check in (*first, *then)] == [
        ("key-vault:kv-network/corp-root", False),
        ("key-vault:kv-network/corp-root", True),
    ]
