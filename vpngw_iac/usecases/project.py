"""A new project: a blueprint, first or imported, with all that stands beside it. Nothing is overwritten."""

from __future__ import annotations

import contextlib
import os
import secrets
import string
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.beginning.kinds import LONGEST_NAME, Beginning
from vpngw_iac.blueprints.writing.python import python_text
from vpngw_iac.blueprints.writing.yaml import yaml_text
from vpngw_iac.errors import Refused, UsageError
from vpngw_iac.files import UnreadableFile, denied, is_denied, read_text
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.secret import EnvironmentSecret
from vpngw_iac.state.check import checked_name
from vpngw_iac.usecases.editor_schemas import schema_of, write_schema
from vpngw_iac.usecases.import_names import clean_name
from vpngw_iac.usecases.offline import OfflineWorkspace
from vpngw_iac.usecases.project_files import (
    BLUEPRINT_SCHEMA,
    ENV_EXAMPLE,
    ENV_FILE,
    IGNORE_FILE,
    SCHEMA_LINE,
    SETTINGS_SCHEMA,
    ProjectFiles,
    ignore_lines,
    names_of,
)
from vpngw_iac.usecases.settings import Settings
from vpngw_iac.usecases.settings_file import CONFIG_FILE, working_directory

if TYPE_CHECKING:
    from vpngw_iac.usecases.imported import Imported, Wanted

ALPHABET = string.ascii_letters + string.digits
KEY_LENGTH = 32
"""Characters of a key that is made: letters and digits, which every device takes (R-PSK-02, R-PSK-03)."""

OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Project:
    """What was written, where, and what is left to do."""

    folder: Path
    deployment: str
    blueprint: str
    """Name of the blueprint's file."""
    files: tuple[str, ...]
    ignored: tuple[str, ...] = ()
    """Lines that were added to a ``.gitignore`` that was there."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """Answers that only show the form, by their flag."""
    keys: tuple[str, ...] = ()
    """Variables without a value yet."""
    circuits: tuple[str, ...] = ()
    simulated: bool = True
    imported: Imported | None = None


class NewProject:
    """A project in a folder that has none. Raises `Refused` that names the file which is there already."""

    def __init__(self, folder: Path, settings: Settings, *, yaml: bool) -> None:
        self.folder, self.settings, self.yaml = folder, settings, yaml
        self.blueprint = f"blueprint.{'yaml' if yaml else 'py'}"
        for name in ("blueprint.py", "blueprint.yaml", CONFIG_FILE, ENV_EXAMPLE, ENV_FILE):
            _refuse_existing(folder / name)

    @property
    def name(self) -> str:
        """Name of the deployment: what ``--deployment`` says, else the folder's."""
        given = self.settings.deployment if self._is_chosen("deployment") else ""
        usual = clean_name(self.folder.resolve().name.lower().replace("_", "-"))[:LONGEST_NAME].strip("._-")
        return checked_name(given or usual or "hub")

    @property
    def cloud(self) -> str:
        """Cloud of a first blueprint: what a flag or a variable says, else the simulator."""
        return self.settings.cloud if self._is_chosen("cloud") else "simulator"

    def _is_chosen(self, setting: str) -> bool:
        """Whether it was said for this call: the ``vpngw.toml`` of a folder above is another project's."""
        return self.settings.origin.said.get(setting, CONFIG_FILE) != CONFIG_FILE

    # --- from answers ------------------------------------------------------------------------------------------------

    def begin(self, beginning: Beginning, examples: Mapping[str, str]) -> Project:
        """Write a first blueprint, and keys of its own for it."""
        cloud = self.cloud
        said = {**self._said("subscription", "tenant", flags_only=True), **dict(self._places(flags_only=True))}
        around = ProjectFiles(cloud, said, beginning.keys)
        values = {name: "".join(secrets.choice(ALPHABET) for _ in range(KEY_LENGTH)) for name in beginning.keys}
        self._require_valid(beginning.blueprint, values)
        texts = {self.blueprint: self._text(beginning), **self._beside(around)}
        if values:
            texts[ENV_FILE] = around.env_text(values)
        with _kept_only_if_whole() as written:
            ignored = self._write(texts, written)
        return Project(
            folder=self.folder,
            deployment=beginning.blueprint.name,
            blueprint=self.blueprint,
            files=names_of([*texts, *([] if ignored else [IGNORE_FILE])]),
            ignored=ignored,
            examples=examples,
            circuits=beginning.circuits,
            simulated=cloud == "simulator",
        )

    def _require_valid(self, blueprint: Blueprint, values: Mapping[str, str]) -> None:
        """Raise `Refused` for answers that do not go together: what begins must be valid as it is."""
        environment = {**self.settings.environment, **values}
        workspace = OfflineWorkspace(**self.settings.arguments() | {"environment": environment})
        findings = [finding for finding in workspace.validate(blueprint).findings if finding.blocks]
        if findings:
            raise Refused(
                "These answers do not go together. Nothing was written.", findings=findings, advice="Answer otherwise."
            )

    def _text(self, beginning: Beginning) -> str:
        blueprint = beginning.blueprint
        told = f"{blueprint.name}: begun by `vpngw init {blueprint.kind}`."
        steps = [f"    vpngw {verb} {self.blueprint}" for verb in ("validate", "plan", "apply")]
        introduction = "\n".join([told, "", *steps, ""])
        if self.yaml:
            return yaml_text(blueprint, f"{SCHEMA_LINE}\n\n{introduction}", beginning.remarks)
        return python_text(blueprint, introduction, beginning.remarks)

    # --- from Azure --------------------------------------------------------------------------------------------------

    def take_over(self, wanted: Wanted) -> Project:
        """Import into the folder, and write the same surroundings; values of secrets are left to fill in."""
        from vpngw_iac.usecases.importer import Importer
        from vpngw_iac.usecases.workspace import Workspace

        made = not self.folder.exists()
        _make(self.folder)
        home = working_directory(self.folder)
        origin = replace(self.settings.origin, directory=home, file=None)
        place: dict[str, Any] = self.settings.arguments() | {"directory": home, "settings": origin}
        wanted = replace(wanted, file=self.folder / self.blueprint, yaml=self.yaml)
        try:
            imported = Importer(Workspace(**place), self.settings.deployment).run(wanted)
        except BaseException:
            if made:
                with contextlib.suppress(OSError):  # what a run has written stays
                    self.folder.rmdir()
            raise
        if self.yaml:
            _with_schema_line(self.folder / self.blueprint)
        keys = {
            secret.reference.name: secret.what
            for secret in imported.secrets
            if isinstance(secret.reference, EnvironmentSecret)
        }
        said = {**self._said("subscription", "tenant"), **dict(self._places())}
        texts = self._beside(ProjectFiles(self.settings.cloud, said, keys))
        with _kept_only_if_whole() as written:
            ignored = self._write(texts, written)
        return Project(
            folder=self.folder,
            deployment=imported.deployment,
            blueprint=self.blueprint,
            files=names_of([self.blueprint, *texts, *([] if ignored else [IGNORE_FILE])]),
            ignored=ignored,
            keys=tuple(keys),
            simulated=self.settings.cloud == "simulator",
            imported=imported,
        )

    def _places(self, *, flags_only: bool = False) -> Iterator[tuple[str, str]]:
        """Where state and simulator are, if not at their usual place in the folder."""
        if self._said("state", flags_only=flags_only) and self.settings.state_place:
            yield "state", self.settings.state_place
        if flags_only:
            return
        simulator = self.settings.simulator_folder
        if self.settings.cloud == "simulator" and simulator.resolve() != (self.folder / ".vpngw/simulator").resolve():
            yield "simulator_dir", str(simulator.resolve())

    # --- beside it ---------------------------------------------------------------------------------------------------

    def _said(self, *names: str, flags_only: bool = False) -> dict[str, str]:
        said = self.settings.origin.said
        wanted = [name for name in names if said.get(name, "").startswith("--" if flags_only else "")]
        return {name: str(getattr(self.settings, name)) for name in wanted if getattr(self.settings, name)}

    def _beside(self, around: ProjectFiles) -> dict[str, str]:
        return {CONFIG_FILE: around.config_text, ENV_EXAMPLE: around.example_text}

    def _write(self, texts: Mapping[str, str], written: list[Path]) -> tuple[str, ...]:
        """Everything, what keeps secrets out of a repository first; the lines added to somebody's ``.gitignore``."""
        _make(self.folder)
        added = self._ignore(written)
        for name, text in texts.items():
            _write_new(self.folder / name, text, written, OWNER_ONLY if name == ENV_FILE else 0o644)
        write_schema(self.folder / SETTINGS_SCHEMA, schema_of("settings"))
        if self.yaml:
            write_schema(self.folder / BLUEPRINT_SCHEMA, schema_of("blueprint"))
        return added

    def _ignore(self, written: list[Path]) -> tuple[str, ...]:
        file = self.folder / IGNORE_FILE
        if not os.path.lexists(file):
            _write_new(file, "\n".join(ignore_lines("")) + "\n", written, 0o644)
            return ()
        try:
            there = read_text(file)
        except UnreadableFile as error:
            raise error.as_error(UsageError, str(file), file, f"Correct {file}.") from None
        lines = ignore_lines(there)
        if lines:
            with file.open("a", encoding="utf-8") as opened:
                opened.write(("" if not there or there.endswith("\n") else "\n") + "\n".join(lines) + "\n")
        return tuple(line for line in lines if not line.startswith("#"))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{folder} is no folder.", advice="Give --dir one; it is made if it is not there.") from None


def _refuse_existing(file: Path) -> None:
    if os.path.lexists(file):
        raise Refused(
            f"{file} exists: there is a project in this folder already.",
            advice="Choose another folder with --dir, or move the file away. Nothing was written.",
        )


def _write_new(file: Path, text: str, written: list[Path], mode: int) -> None:
    """A file that is not there; a link that leads nowhere counts as being there."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        _refuse_existing(file)
        raise
    except OSError as error:
        if is_denied(error):
            raise denied(str(file), file, "written") from None
        raise
    written.append(file)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as opened:
        opened.write(text)


@contextlib.contextmanager
def _kept_only_if_whole() -> Iterator[list[Path]]:
    """What was written goes again if the rest cannot be."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        raise


def _with_schema_line(file: Path) -> None:
    """The first comment of an imported YAML blueprint, which the importer has just written."""
    beside = file.with_name(f".{file.name}-schema")
    beside.write_text(f"# {SCHEMA_LINE}\n#\n{file.read_text(encoding='utf-8')}", encoding="utf-8")
    beside.replace(file)
