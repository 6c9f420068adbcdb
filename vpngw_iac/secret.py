"""References to secrets, and fingerprints that recognise a value without storing it.

A blueprint never holds a secret's value, only where to find it. Resolving a reference happens in the worker, just
before the call; this module knows the references that need no cloud (environment, file).
"""

import hashlib
import hmac
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from vpngw_iac.errors import InvalidValue, SecretError
from vpngw_iac.files import UnreadableFile, owned, read_text
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.masks import Masks
from vpngw_iac.pipeline import mask_commands


class _Reference(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    takes: ClassVar[str]
    """What it is made of, as people are told who gave something else."""

    if not TYPE_CHECKING:

        def __init__(self, /, **fields: Any) -> None:
            try:
                super().__init__(**fields)
            except ValidationError:
                wrong = next((type(value) for value in fields.values() if not isinstance(value, str)), None)
                given = f", got {wrong.__name__.removesuffix('Type')}" if wrong else ""
                raise InvalidValue(
                    f"{self.takes}{given}.", advice="See docs/secrets.md for what may be written."
                ) from None

        __init__.__pydantic_base_init__ = True

    def __str__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        """The reference as people write it, for example ``env:BERLIN_PSK``."""
        raise NotImplementedError


class EnvironmentSecret(_Reference):
    """A secret in an environment variable."""

    takes: ClassVar[str] = "Secret.env takes the name of an environment variable, never the secret itself"

    source: Literal["env"] = "env"
    name: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]

    def describe(self) -> str:
        return f"env:{self.name}"


class FileSecret(_Reference):
    """A secret in a file: its text without the trailing newline."""

    takes: ClassVar[str] = "Secret.file takes the path of a file"

    source: Literal["file"] = "file"
    path: Annotated[str, Field(min_length=1)]

    def describe(self) -> str:
        return f"file:{self.path}"


class KeyVaultSecret(_Reference):
    """A secret in Azure Key Vault; `version` none means the newest at apply."""

    takes: ClassVar[str] = "Secret.key_vault takes a vault and the name of a secret (letters, digits and '-')"

    source: Literal["key_vault"] = "key_vault"
    vault: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1, pattern=r"^[0-9A-Za-z-]{1,127}$")]
    version: str | None = None

    def describe(self) -> str:
        return f"key-vault:{self.vault}/{self.name}" + (f"/{self.version}" if self.version else "")


class KeyVaultCertificate(KeyVaultSecret):
    """A public certificate that is kept as the text of a secret in Key Vault; it is read at plan, and is no secret.

    A graph holds it as the text of `describe` until the cloud is known: no certificate has a ``:``.
    """

    takes: ClassVar[str] = "RootCertificate.key_vault takes a vault and the name of a secret (letters, digits and '-')"

    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z]+$")] | None = None

    @classmethod
    def described(cls, text: str) -> "KeyVaultCertificate | None":
        """The reference that `describe` says in this way; none for the text of a certificate."""
        found = re.fullmatch(r"key-vault:(?P<vault>.+?)/(?P<name>[0-9A-Za-z-]+)(/(?P<version>[0-9A-Za-z]+))?", text)
        return cls(**found.groupdict()) if found else None


class GeneratedSecret(_Reference):
    """A strong secret that is made at the first apply, if absent, and kept in Key Vault; never overwritten."""

    takes: ClassVar[str] = "Secret.generated takes a vault and the name of a secret (letters, digits and '-')"

    source: Literal["generated"] = "generated"
    vault: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1, pattern=r"^[0-9A-Za-z-]{1,127}$")]

    def describe(self) -> str:
        return f"generated:{self.vault}/{self.name}"


SecretReference = Annotated[
    EnvironmentSecret | FileSecret | KeyVaultSecret | GeneratedSecret, Field(discriminator="source")
]

_REFERENCE: TypeAdapter[SecretReference] = TypeAdapter(SecretReference)


class Secret:
    """Names the four places a secret may come from; there is no way to write a value into a blueprint.

    ``Secret.env("BERLIN_PSK")``
    """

    instead = 'Secret.env("NAME")'
    """What to write where the class itself was written."""

    @staticmethod
    def env(name: str) -> EnvironmentSecret:
        """Take the value from an environment variable at apply."""
        return EnvironmentSecret(name=name)

    @staticmethod
    def file(path: str | Path) -> FileSecret:
        """Take the value from a file at apply; a relative path starts at the blueprint file's folder."""
        return FileSecret(path=str(path))

    @staticmethod
    def key_vault(vault: str, name: str, version: str | None = None) -> KeyVaultSecret:
        """Take the value from Azure Key Vault (`vault` is its name or URL) at apply."""
        return KeyVaultSecret(vault=vault, name=name, version=version)

    @staticmethod
    def generated(vault: str, name: str) -> GeneratedSecret:
        """Make a strong value at the first apply and keep it in Key Vault."""
        return GeneratedSecret(vault=vault, name=name)


def load_reference(document: Mapping[str, Any]) -> SecretReference:
    """Read a reference back from its JSON form."""
    return _REFERENCE.validate_python(dict(document))


def dump_reference(reference: SecretReference) -> dict[str, Any]:
    """JSON form of a reference, without what is not set."""
    return reference.model_dump(exclude_none=True)


@dataclass(frozen=True, slots=True, repr=False)
class SecretValue:
    """A resolved value on its way to a request body; it never shows itself."""

    value: str
    version: str | None = None
    """Version of the Key Vault secret that was used."""

    def __repr__(self) -> str:
        return "SecretValue(***)"


class SecretSource(Protocol):
    """Resolves references; implementations raise `SecretError` that names the reference, never a value."""

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value now."""

    def prepare(self, reference: SecretReference) -> None:
        """Create what is `generated` and absent; nothing for other references."""


class CachedSecrets:
    """Resolves each reference once for as long as it lives: a failure is remembered too."""

    def __init__(self, source: SecretSource) -> None:
        self._source = source
        self._known: dict[SecretReference, SecretValue | SecretError] = {}

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value at the first time it was asked for; raises `SecretError` as the source did."""
        if reference not in self._known:
            try:
                self._known[reference] = self._source.resolve(reference)
            except SecretError as error:
                self._known[reference] = error
        found = self._known[reference]
        if isinstance(found, SecretError):
            raise found
        return found

    def prepare(self, reference: SecretReference) -> None:
        """Create what is `generated` and absent; it is asked for anew afterwards."""
        self._source.prepare(reference)
        self._known.pop(reference, None)

    def reveal(self, reference: SecretReference) -> str | None:
        """The bare value for a check, or None where it is not at hand."""
        try:
            return self.resolve(reference).value
        except SecretError:
            return None


class GithubMaskedSecrets:
    """Tells the runner of GitHub Actions each value before anybody has it, so that its logs show ``***`` from then on.

    See `vpngw_iac.pipeline.mask_commands`.
    """

    def __init__(self, source: SecretSource, tell: Callable[[str], object]) -> None:
        self._source = source
        self._tell = tell

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value now, masked; raises `SecretError` as the source does."""
        found = self._source.resolve(reference)
        for command in mask_commands(found.value, "github"):
            self._tell(command)
        return found

    def prepare(self, reference: SecretReference) -> None:
        """As the source does; nothing is known yet."""
        self._source.prepare(reference)


class RedactedSecrets:
    """Puts each value into the run's memory of secrets before anybody has it: no message shows it from then on."""

    def __init__(self, source: SecretSource, masks: Masks) -> None:
        self._source = source
        self._masks = masks

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value now; raises `SecretError` as the source does."""
        found = self._source.resolve(reference)
        self._masks.add(found.value)
        return found

    def prepare(self, reference: SecretReference) -> None:
        """As the source does; nothing is known yet."""
        self._source.prepare(reference)


class LocalSecrets:
    """Resolves ``env`` and ``file`` references; refuses those that need a vault."""

    def __init__(self, environment: Mapping[str, str] | None = None, directory: Path | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._directory = directory

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value now; raises `SecretError` if it is missing, empty or cannot be read."""
        match reference:
            case EnvironmentSecret(name=name):
                return SecretValue(self._from_environment(name))
            case FileSecret(path=path):
                return SecretValue(self._from_file(path))
            case _:
                raise SecretError(f"{reference} needs Azure Key Vault, which is not connected here.")

    def prepare(self, reference: SecretReference) -> None:
        """Local secrets are never generated."""

    def _from_environment(self, name: str) -> str:
        value = self._environment.get(name, "")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise SecretError(f"The environment variable {name} is not UTF-8 text.", advice=f"Export {name} as UTF-8.")
        if not value:
            raise SecretError(
                f"The environment variable {name} is not set.",
                advice=f"Export {name}, or name a file that sets it with --env-file.",
            )
        return value

    def _from_file(self, path: str) -> str:
        target = Path(path) if self._directory is None else self._directory / path
        try:
            value = read_text(target).rstrip("\n")
        except UnreadableFile as error:
            owner = f"; {owned(target)}" if error.denied else ""
            raise SecretError(
                f"The secret file {path} cannot be read: {error.reason}{owner}.", advice=error.advice
            ) from None
        if not value:
            raise SecretError(f"The secret file {path} is empty.")
        return value


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """HMAC of a secret's value under the store's key: equal values are recognised, nothing can be guessed offline.

    `key_id` names the key, so that a lost key reads as *unverified* and never as a change.
    """

    key_id: str
    digest: str
    version: str | None = None
    """Key Vault version the value came from, if any; not part of the comparison."""

    def same_value(self, other: "Fingerprint") -> bool | None:
        """True or False when both were made with one key, None when that cannot be known."""
        if self.key_id != other.key_id:
            return None
        return hmac.compare_digest(self.digest, other.digest)

    def dump(self) -> dict[str, str]:
        """JSON form."""
        document = {"key": self.key_id, "hmac": self.digest}
        return document | ({"version": self.version} if self.version else {})

    @classmethod
    def load(cls, document: Mapping[str, str]) -> "Fingerprint":
        """Read the JSON form."""
        return cls(document["key"], document["hmac"], document.get("version"))


@dataclass(frozen=True, slots=True, repr=False)
class FingerprintKey:
    """The store's random key for fingerprints and plan digests; it is kept apart from the state document."""

    secret: bytes

    def __repr__(self) -> str:
        return f"FingerprintKey({self.key_id})"

    @classmethod
    def new(cls) -> "FingerprintKey":
        """32 random bytes."""
        return cls(os.urandom(32))

    @property
    def key_id(self) -> str:
        """A short name of the key that does not reveal it."""
        return hashlib.sha256(b"vpngw key id" + self.secret).hexdigest()[:12]

    def fingerprint(self, value: str, version: str | None = None) -> Fingerprint:
        """Fingerprint of a secret's value."""
        return Fingerprint(self.key_id, self._hmac(b"secret:" + value.encode()), version)

    def digest(self, document: object) -> str:
        """HMAC of a JSON document in canonical form: what makes an edited plan file visible."""
        canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return self._hmac(b"document:" + canonical.encode(errors="surrogatepass"))

    def _hmac(self, message: bytes) -> str:
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()
