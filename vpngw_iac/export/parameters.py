"""Parameters for secrets: their names, and the file that says where a key vault has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

from vpngw_iac.resources.base import Document
from vpngw_iac.secret import EnvironmentSecret, FileSecret, GeneratedSecret, KeyVaultSecret, SecretReference

PARAMETERS_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"


class Parameters:
    """The secrets of a deployment, each under one name: equal references are one parameter."""

    def __init__(self) -> None:
        self._names: dict[SecretReference, str] = {}

    def name(self, reference: SecretReference) -> str:
        """The parameter of a secret: made of the secret's own name."""
        if reference not in self._names:
            wanted = _camel(_own_name(reference))
            taken = {name.lower() for name in self._names.values()}
            number, name = 1, wanted
            while name.lower() in taken:
                number += 1
                name = f"{wanted}{number}"
            self._names[reference] = name
        return self._names[reference]

    @property
    def all(self) -> Mapping[str, SecretReference]:
        """Every parameter, sorted by name."""
        return {name: reference for reference, name in sorted(self._names.items(), key=lambda item: item[1])}


def declaration(reference: SecretReference) -> Document:
    """What the template says of a parameter; never a value."""
    return {"type": "securestring", "metadata": {"description": _where(reference)}}


def _where(reference: SecretReference) -> str:
    match reference:
        case EnvironmentSecret():
            return f"The blueprint takes it from the environment variable {reference.name}."
        case FileSecret():
            return "The blueprint takes it from a file."
        case _:
            return f"The blueprint takes it from the secret {reference.name} of the key vault {vault_name(reference)}."


def _own_name(reference: SecretReference) -> str:
    match reference:
        case FileSecret():
            return PurePath(reference.path.replace("\\", "/")).stem
        case _:
            return reference.name


def _camel(text: str) -> str:
    words = [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]
    words = [word.lower() if word.isupper() else word for word in words]
    name = "".join([words[0][:1].lower() + words[0][1:], *(w[:1].upper() + w[1:] for w in words[1:])]) if words else ""
    return name if re.match(r"[A-Za-z]", name) else f"secret{name}"


def vault_name(reference: KeyVaultSecret | GeneratedSecret) -> str:
    """The vault's own name, also where its URL is written."""
    return reference.vault.rstrip("/").rpartition("/")[2].partition(".")[0]


def parameters_file(vaults: Mapping[str, SecretReference], ids: Mapping[str, str]) -> Document:
    """The parameters file: references to key vaults, by id of the vault. `ids` are by name in lower case."""
    told = {}
    for name, reference in vaults.items():
        assert isinstance(reference, KeyVaultSecret | GeneratedSecret)  # noqa: S101 - only these are asked for
        secret = {"keyVault": {"id": ids[vault_name(reference).lower()]}, "secretName": reference.name}
        version = getattr(reference, "version", None)
        told[name] = {"reference": secret | ({"secretVersion": version} if version else {})}
    return {"$schema": PARAMETERS_SCHEMA, "contentVersion": "1.0.0.0", "parameters": told}
