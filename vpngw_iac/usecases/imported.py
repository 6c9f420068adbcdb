"""What is asked of an import, and what it answers: values."""

from __future__ import annotations

from pathlib import Path

from vpngw_iac.blueprints.reading.notes import Account, MissingSecret
from vpngw_iac.errors import ExitCode
from vpngw_iac.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be imported, and where to."""

    groups: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Files with documents, in place of a cloud; then no state is written."""
    whole_subscription: bool = False
    """Every group of the subscription that holds a gateway or a circuit."""
    terraform_state: str = ""
    """A Terraform state: its gateways, and its names."""
    names_file: str = ""
    """A file of names and of what to skip."""
    vault: str = ""
    """Read the keys once, and keep them in this Key Vault."""
    scan: bool = False
    """Only write the file of names."""
    file: Path = Path("blueprint.py")
    yaml: bool = False
    csv: bool = False
    """Keep twelve alike sites or more in ``sites.csv`` beside the blueprint."""
    into: Path | None = None
    """Print the nouns for this file instead of writing one; no state either."""

    @property
    def writes_state(self) -> bool:
        """Whether a blueprint is written, and the state to it."""
        return self.into is None and not self.scan and not self.files


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote, the account of everything in scope, and what the proof showed."""

    deployment: str
    file: str
    text: str
    accounts: tuple[Account, ...]
    secrets: tuple[MissingSecret, ...]
    differing: tuple[str, ...] = ()
    """Sentences about what the proof found, if it failed."""
    broken: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    """Addresses, each with its state, of what Azure is at work on: taken over as it was read, and not compared."""
    unread: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    written: bool = False
    entries: int = 0
    terraform: tuple[str, ...] = ()
    """Lines that hand over from Terraform."""

    @property
    def exit_code(self) -> ExitCode:
        """2 where the plan of what was written is not empty, or something could not be compared yet."""
        return ExitCode.CHANGES if self.differing or self.busy else ExitCode.DONE
