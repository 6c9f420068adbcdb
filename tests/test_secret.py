"""Secrets are references; values never show themselves, and fingerprints recognise them."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vpngw_iac.errors import InvalidValue, SecretError
from vpngw_iac.secret import (
    Fingerprint,
    FingerprintKey,
    GithubMaskedSecrets,
    LocalSecrets,
    Secret,
    SecretReference,
    SecretValue,
    dump_reference,
    load_reference,
)

REFERENCES = [
    (Secret.env("BERLIN_PSK"), "env:BERLIN_PSK"),
    (Secret.file("keys/berlin"), "file:keys/berlin"),
    (Secret.key_vault("kv-hub", "berlin"), "key-vault:kv-hub/berlin"),
    (Secret.key_vault("kv-hub", "berlin", "7"), "key-vault:kv-hub/berlin/7"),
    (Secret.generated("kv-hub", "berlin"), "generated:kv-hub/berlin"),
]
CANARY = "canary-5f2c"


@pytest.mark.parametrize(("reference", "text"), REFERENCES, ids=str)
def test_a_reference_says_where_it_points(reference: SecretReference, text: str) -> None:
    assert text == str(reference)
    assert reference == load_reference(dump_reference(reference))


def test_a_literal_is_no_reference() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(SecretReference).validate_python("hunter2")


@pytest.mark.parametrize("name", ["", "1PSK", "MY-PSK", "A B"])
def test_a_name_that_no_shell_can_set_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="the name of an environment variable, never the secret itself"):
        Secret.env(name)


def test_an_environment_variable_is_read_when_it_is_needed() -> None:
    environment = {"BERLIN_PSK": "first"}
    secrets = LocalSecrets(environment)

    environment["BERLIN_PSK"] = "second"

    assert secrets.resolve(Secret.env("BERLIN_PSK")).value == "second"


def test_a_file_loses_only_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" k e y \r\n", encoding="utf-8")

    assert LocalSecrets({}, tmp_path).resolve(Secret.file("key")).value == " k e y "


def test_a_missing_variable_is_named_with_what_to_do() -> None:
    with pytest.raises(SecretError, match="BERLIN_PSK is not set") as caught:
        LocalSecrets({"BERLIN_PSK": ""}).resolve(Secret.env("BERLIN_PSK"))

    assert "--env-file" in caught.value.advice


@pytest.mark.parametrize("name", ["absent", "empty", "binary", "."])
def test_a_file_that_cannot_be_used_is_named_and_not_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(CANARY.encode() + b"\xff\xfe")

    with pytest.raises(SecretError, match=name.replace(".", r"\.")) as caught:
        LocalSecrets({}, tmp_path).resolve(Secret.file(name))

    assert CANARY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("reference", [Secret.key_vault("kv", "n"), Secret.generated("kv", "n")])
def test_a_vault_is_not_local(reference: SecretReference) -> None:
    with pytest.raises(SecretError, match="Key Vault"):
        LocalSecrets({}).resolve(reference)


def test_local_secrets_are_never_generated() -> None:
    environment: dict[str, str] = {}

    LocalSecrets(environment).prepare(Secret.env("BERLIN_PSK"))

    assert environment == {}


def test_a_value_never_shows_itself() -> None:
    value, key = SecretValue(CANARY), FingerprintKey(CANARY.encode())

    assert CANARY not in f"{value!r} {value} {key!r} {key} {key.fingerprint(CANARY)!r} {key.key_id}"


@given(st.text(), st.text())
def test_equal_values_have_equal_fingerprints_and_others_do_not(one: str, other: str) -> None:
    key = FingerprintKey(b"k" * 32)

    assert (one == other) is key.fingerprint(one).same_value(key.fingerprint(other))


def test_another_key_knows_nothing() -> None:
    mine, lost = FingerprintKey.new(), FingerprintKey.new()

    assert mine.key_id != lost.key_id
    assert mine.fingerprint("x").same_value(lost.fingerprint("x")) is None


def test_the_version_of_a_vault_secret_is_told_and_not_compared() -> None:
    key = FingerprintKey.new()

    assert key.fingerprint("x", "1").same_value(key.fingerprint("x", "2")) is True
    assert key.fingerprint("x", "1").dump()["version"] == "1"


@given(st.text(min_size=1), st.none() | st.just("7"))
def test_a_fingerprint_is_read_back_as_written(value: str, version: str | None) -> None:
    fingerprint = FingerprintKey(b"k" * 32).fingerprint(value, version)

    assert fingerprint == Fingerprint.load(fingerprint.dump())


def test_a_digest_does_not_depend_on_the_order_of_keys_and_sees_every_change() -> None:
    key = FingerprintKey(b"k" * 32)

    assert key.digest({"a": 1, "b": [2]}) == key.digest({"b": [2], "a": 1})
    assert key.digest({"a": 1}) != key.digest({"a": 2})
    assert key.digest("x") != key.fingerprint("x").digest


def test_a_mask_is_told_line_by_line_and_escaped_as_workflow_commands_are() -> None:
    told: list[str] = []
    source = GithubMaskedSecrets(LocalSecrets({"PSK": "50%off\n\nsecond"}), told.append)

    value = source.resolve(Secret.env("PSK"))

    assert value.value == "50%off\n\nsecond"
    assert told == ["::add-mask::50%25off\n", "::add-mask::second\n"]
    with pytest.raises(SecretError):
        source.resolve(Secret.env("ABSENT"))
    assert len(told) == 2
