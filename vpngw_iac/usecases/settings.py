"""Settings: what a run needs to know beyond its blueprint, and where each value may stand.

A setting is a flag, else a ``VPNGW_*`` variable, else the same variable in the file of ``--env-file``, else a key of
``vpngw.toml``, else its default. A relative path starts where it was said: in ``vpngw.toml`` (and in the env file that
it names) at the folder of ``vpngw.toml``, elsewhere at the working directory. Reading settings costs next to nothing:
this module is part of every command's start.
"""

import io
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from vpngw_iac.errors import UsageError
from vpngw_iac.files import UnreadableFile, open_to_all, read_text
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.pipeline import home_of
from vpngw_iac.state_url import FolderPlace, read_state_url
from vpngw_iac.text import nearest, suggestion
from vpngw_iac.usecases.pipeline_settings import (
    PREFIX,
    TO_PIPELINES,
    WIDENING,
    untrusted,
    variable_for,
    variable_of,
)
from vpngw_iac.usecases.settings_file import CONFIG_FILE, find_config, working_directory

CLOUDS = ("public", "usgovernment", "china", "simulator")
"""Clouds that have a name; any other is the address of an endpoint."""


def _text(value: Any) -> Any:
    if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("it is not UTF-8 text")
    return value.strip() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1)]


SIMULATOR_DIR = ".vpngw/simulator"
"""Where the simulator keeps its content, if nothing else was said."""


@dataclass(frozen=True, slots=True)
class SettingsSource:
    """Where settings were found."""

    directory: Path = field(default_factory=Path)
    """The working directory."""
    file: Path | None = None
    """The ``vpngw.toml`` that was read."""
    said: Mapping[str, str] = field(default_factory=dict)
    """Where each setting that was given stands, in words: ``--cloud``, ``VPNGW_CLOUD``, ``vpngw.toml``."""
    bases: Mapping[str, Path] = field(default_factory=dict)
    """The folder at which the relative path of a setting starts, where that is not the working directory."""
    warnings: tuple[str, ...] = ()
    """What should be told once, each a sentence."""
    untrusted: tuple[str, ...] = ()
    """In a pipeline: what the checkout says of where to sign in and work and the pipeline does not, as sentences."""

    def require_trusted(self) -> None:
        """Raise `UsageError` before anything is connected that only the checkout, and not the pipeline, has named."""
        if self.untrusted:
            raise UsageError(" ".join(self.untrusted), advice=TO_PIPELINES)

    @property
    def home(self) -> Path:
        """The folder at which ``.vpngw/`` starts."""
        return self.file.parent if self.file else self.directory

    def path_of(self, name: str, value: str) -> Path:
        """The path that a setting means."""
        return self.bases.get(name, self.directory) / value


class Settings(BaseModel):
    """Every setting with its value, however it was given; `environment` is what secrets and credentials may read."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    cloud: Text = "public"
    """``simulator``, ``public``, ``usgovernment``, ``china`` or the ``https://`` address of an ARM endpoint."""
    state: Text | None = None
    """URL of the state; none means a file below ``.vpngw/state``."""
    deployment: Text | None = None
    """Name of the deployment, where it is not the blueprint's."""
    subscription: Text | None = None
    tenant: Text | None = None
    resource_group: Text | None = None
    no_color: bool = False
    verbose: bool = False
    json_output: bool = Field(default=False, alias="json")
    env_file: Text | None = None
    """File with variables for secrets and settings."""
    simulator_dir: Text = SIMULATOR_DIR
    """Where the simulator keeps its content; its default is in the folder of ``vpngw.toml``, if there is one."""
    simulator_speed: Annotated[float, Field(gt=0)] | None = None
    """Simulated seconds per real second."""
    profile: Text | None = None
    """Profile of preflight: ``strict``, ``cnsa``, ``nist`` or ``bsi``."""

    allow_endpoint: bool = False
    """In a pipeline an ``https://`` cloud is taken only with this, said by the pipeline itself."""
    allowed_subscriptions: Text | None = None
    """Subscriptions, besides the default one, in which a saved graph may name something; separated by commas."""
    allowed_tenants: Text | None = None
    """Tenants, besides the default one, that a saved graph may name; separated by commas."""

    @field_validator("cloud")
    @classmethod
    def _is_a_cloud(cls, value: str) -> str:
        """Refuse what is neither the name of a cloud nor an address, before anything else is asked for."""
        if wrong := no_cloud(value):
            raise ValueError(wrong)
        return value

    @field_validator("state")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        """Refuse what would become a folder by mistake, before anything is looked for there."""
        if value is not None:
            try:
                read_state_url(value)
            except UsageError as error:
                raise ValueError(f"{error.message}\n{error.advice}") from None
        return value

    environment: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    """Environment, env-file and ``vpngw.toml`` merged, the first that has a name wins. May hold secrets."""
    env_variables: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    """What the env file adds to this process: nothing, in a pipeline, of a file that ``vpngw.toml`` names."""
    origin: SettingsSource = Field(default_factory=SettingsSource, exclude=True, repr=False)

    @classmethod
    def load(
        cls,
        *,
        env_file: str | Path | None = None,
        directory: str | Path = ".",
        environment: Mapping[str, str] | None = None,
        environment_name: str | None = None,
        **flags: Any,
    ) -> Self:
        """Collect the settings; a flag that is None was not given. Raises `UsageError` that names the culprit.

        ``vpngw.toml`` is looked for upwards from `directory`, the working directory.
        """
        real = dict(os.environ if environment is None else environment)
        given = {key: value for key, value in flags.items() if value is not None}
        folder = working_directory(directory)
        config = find_config(folder)
        chosen = environment_name or real.get(f"{PREFIX}ENVIRONMENT") or None
        document = _part_of(_read_config_file(config) if config else {}, chosen, config)
        named, by_file = env_file or real.get(f"{PREFIX}ENV_FILE"), False
        if not named and document.get("env_file"):
            named, by_file = document["env_file"], True
        base = config.parent if by_file and config else folder
        path = base / str(named) if named else None
        absent = by_file and path is not None and not path.exists()
        filed = read_env_file(path) if path and not absent else {}
        distrusts = bool(home_of(real))
        if distrusts:
            document = {name: value for name, value in document.items() if name not in WIDENING}
        for_secrets_alone = distrusts and by_file and bool(filed)
        if for_secrets_alone:
            filed = {name: value for name, value in filed.items() if name not in map(variable_for, WIDENING)}
        merged = {**filed, **real}
        values = document | _from_variables(merged) | given
        values["env_file"] = str(path) if path else None
        origin = SettingsSource(
            directory=folder,
            file=config,
            said=_said(given, real, filed, document, path),
            bases=dict.fromkeys(_from_config({**real, **given}, filed, document, by_file), config.parent)
            if config
            else {},
            warnings=_absent(path) if absent else (*_exposed(path), *(_set_aside(path) if for_secrets_alone else ())),
            untrusted=tuple(untrusted(given, real, filed if by_file else {}, document)) if distrusts else (),
        )
        merged = {f"{PREFIX}{key.upper()}": str(value) for key, value in document.items()} | merged
        asides = {"environment": merged, "env_variables": {} if for_secrets_alone else filed, "origin": origin}
        try:
            return cls.model_validate(values | asides)
        except ValidationError as error:
            raise _told(error, origin) from None

    @property
    def state_place(self) -> str | None:
        """The state as it was said, a folder with its whole path."""
        if self.state is None or not isinstance(read_state_url(self.state), FolderPlace):
            return self.state
        if self.state.startswith("file:"):
            return self.state
        return str(self.origin.path_of("state", self.state))

    @property
    def simulator_folder(self) -> Path:
        """The folder of the simulator's content; the default one of the working directory where that alone is there."""
        if "simulator_dir" in self.origin.said:
            return self.origin.path_of("simulator_dir", self.simulator_dir)
        usual, here = self.origin.home / SIMULATOR_DIR, self.origin.directory / SIMULATOR_DIR
        return here if here != usual and here.is_dir() and not usual.exists() else usual

    def arguments(self) -> dict[str, Any]:
        """The settings that a `Workspace` takes, by the names of its parameters."""
        names = "subscription tenant resource_group deployment environment profile simulator_speed"
        return {
            **{name: getattr(self, name) for name in names.split()},
            "allowed_subscriptions": _several(self.allowed_subscriptions),
            "allowed_tenants": _several(self.allowed_tenants),
            "cloud": self.cloud if "cloud" in self.origin.said else None,
            "state": self.state_place,
            "directory": self.origin.directory,
            "simulator_dir": str(self.simulator_folder),
            "settings": self.origin,
        }


def _several(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").replace(",", " ").split())


_NO_SETTINGS = ("environment", "env_variables", "origin")


def setting_names() -> tuple[str, ...]:
    """Names of the settings as ``vpngw.toml`` and ``VPNGW_*`` (in upper case) write them."""
    return tuple(info.alias or name for name, info in Settings.model_fields.items() if name not in _NO_SETTINGS)


def read_env_file(path: Path) -> dict[str, str]:
    """Variables of a ``NAME=value`` file. Raises `UsageError` with the line, never with its content."""
    try:
        text = read_text(path, pipe=True)
    except UnreadableFile as error:
        raise error.as_error(UsageError, f"The env file {path}", path, "Check --env-file.") from None
    return dict(variables_in(text, path))


def variables_in(text: str, where: Path | str) -> Iterator[tuple[str, str]]:
    """Name and value of each ``NAME=value`` line, in their order; `where` they stand is a file, or has a name.

    Raises `UsageError` with the line, never with its content.
    """
    from dotenv.parser import parse_stream

    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line
        if binding.error or (binding.key is not None and binding.value is None):
            raise UsageError(
                f"Line {line} of {where} is not NAME=value.",
                advice="Write one variable per line; quote values that contain spaces or #.",
                location=f"{where}:{line}" if isinstance(where, Path) else "",
            )
        if binding.key and binding.value is not None:
            yield binding.key, binding.value


def _part_of(document: dict[str, Any], chosen: str | None, config: Path | None) -> dict[str, Any]:
    """The settings of a file: those at its top, over them those of the chosen part."""
    parts: dict[str, dict[str, Any]] = document.pop("environments", {})
    if not chosen:
        return document
    if chosen not in parts:
        where = f"{config} has no [environments.{chosen}]" if config else f"There is no {CONFIG_FILE}"
        known = f"It has: {', '.join(parts)}." if parts else f"Write [environments.{chosen}] into {CONFIG_FILE}."
        raise UsageError(f"{where}, which --environment (or {PREFIX}ENVIRONMENT) names.", advice=known)
    return document | parts[chosen]


def _from_variables(variables: Mapping[str, str]) -> dict[str, str]:
    found = {name: variable_of(name, variables) for name in setting_names()}
    return {name: variables[variable] for name, variable in found.items() if variable}


def _said(
    flags: Mapping[str, Any],
    real: Mapping[str, str],
    filed: Mapping[str, str],
    document: Mapping[str, Any],
    env_file: Path | None,
) -> dict[str, str]:
    """Where the value of each setting stands, in words."""
    said = {}
    for name in setting_names():
        variable = variable_of(name, {**filed, **real})
        if name in flags:
            said[name] = f"--{name.replace('_', '-')}"
        elif variable:
            said[name] = variable if real.get(variable) else f"{variable} in {env_file}"
        elif name in document:
            said[name] = CONFIG_FILE
    return said


def _from_config(
    chosen: Mapping[str, Any], filed: Mapping[str, str], document: Mapping[str, Any], by_file: bool
) -> list[str]:
    """Settings with a path that ``vpngw.toml`` says, or the env file that it names; `chosen` is what comes before."""
    names = [name for name in ("state", "simulator_dir") if name not in chosen and not variable_of(name, chosen)]
    return [name for name in names if (by_file if variable_of(name, filed) else name in document)]


def _absent(env_file: Path | None) -> tuple[str, ...]:
    """A fresh clone, or a runner whose variables come from elsewhere: no reason to stop."""
    example = Path(f"{env_file}.example")
    hint = f" Copy {example.name} to it and fill it in, or export them." if example.exists() else ""
    return (f"{CONFIG_FILE} names the env file {env_file}, which is not there: the environment alone counts.{hint}",)


def _exposed(env_file: Path | None) -> tuple[str, ...]:
    if env_file is None or not open_to_all(env_file):
        return ()
    return (f"Every user of this machine can read the env file {env_file}. `chmod 600 {env_file}` keeps it private.",)


def _set_aside(env_file: Path | None) -> tuple[str, ...]:
    """In a pipeline the checkout gives values to secrets, and decides nothing else."""
    told = f"In a pipeline the env file {env_file}, which {CONFIG_FILE} names, gives values to Secret.env"
    return (f"{told} and settings alone; what else needs its variables gets them from the job, or from --env-file.",)


def _read_config_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(read_text(path))
    except UnreadableFile as error:
        raise error.as_error(UsageError, str(path), path, f"Correct {path}.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(f"{path} cannot be read: {why}.", location=str(path), advice=f"Correct {path}.") from None
    parts = document.pop("environments", {})
    if not isinstance(parts, dict) or not all(isinstance(part, dict) for part in parts.values()):
        told = f"{path}: 'environments' holds parts, each with settings."
        raise UsageError(told, advice="Write [environments.NAME].")
    values = _checked(document, path)
    return values | ({"environments": {name: _checked(part, path) for name, part in parts.items()}} if parts else {})


def _checked(document: Mapping[str, Any], path: Path) -> dict[str, Any]:
    values = {key.replace("-", "_"): value for key, value in document.items()}
    for key in values.keys() - set(setting_names()):
        hint = suggestion(key, setting_names()) or f"It may hold: {', '.join(setting_names())}."
        raise UsageError(f"{path} has an unknown setting {key!r}.", advice=hint, location=str(path))
    return values


def _told(error: ValidationError, origin: SettingsSource) -> UsageError:
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    where = origin.said.get(name, CONFIG_FILE)
    if where == CONFIG_FILE and origin.file:
        where = str(origin.file)
    said, _, advice = first["msg"].removeprefix("Value error, ").partition("\n")
    advice = f"{advice} Correct {where}." if advice else f"Correct {where}."
    return UsageError(f"The setting {name!r} is wrong: {said.rstrip('?.')}.", advice=advice)


def no_cloud(value: str) -> str:
    """Why a text is neither the name of a cloud nor an address, and what to write; an empty text if it is one."""
    if value in CLOUDS or value.startswith(("https://", "http://")):
        return ""
    close = nearest(value, CLOUDS)
    hint = f"did you mean {close!r}?" if close else f"write {', '.join(CLOUDS)} or https://ENDPOINT"
    return f"{value!r} is not a cloud; {hint}"
