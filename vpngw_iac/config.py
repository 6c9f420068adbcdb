"""Settings: what a run needs to know beyond its blueprint, and where each value may stand.

A setting is a flag, else a ``VPNGW_*`` variable, else the same variable in the file of ``--env-file``, else a key of
``vpngw.toml``, else its default. Reading them costs next to nothing: this module is part of every command's start.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from vpngw_iac.errors import UsageError

CONFIG_FILE = "vpngw.toml"
PREFIX = "VPNGW_"
CLOUDS = ("public", "usgovernment", "china", "simulator")
"""Clouds that have a name; any other is the address of an endpoint."""

OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "subscription": ("AZURE_SUBSCRIPTION_ID", "ARM_SUBSCRIPTION_ID"),
    "tenant": ("AZURE_TENANT_ID", "ARM_TENANT_ID"),
}
"""Variables that other Azure tools use for the same thing; they count when ``VPNGW_*`` is not set."""


def _text(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text), Field(min_length=1)]


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
    """File with variables for secrets and settings; relative to the working directory."""
    simulator_dir: Text = ".vpngw/simulator"
    """Where the simulator keeps its content; relative to the working directory."""
    simulator_speed: Annotated[float, Field(gt=0)] | None = None
    """Simulated seconds per real second."""
    profile: Text | None = None
    """Profile of preflight: ``strict``, ``cnsa``, ``nist`` or ``bsi``."""

    @field_validator("cloud")
    @classmethod
    def _is_a_cloud(cls, value: str) -> str:
        """Refuse what is neither the name of a cloud nor an address, before anything else is asked for."""
        if value not in CLOUDS and not value.startswith(("https://", "http://")):
            close = get_close_matches(value.lower(), CLOUDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"write {', '.join(CLOUDS)} or https://ENDPOINT"
            raise ValueError(f"{value!r} is no cloud; {hint}")
        return value

    environment: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)
    """Environment, env-file and ``vpngw.toml`` merged, the first that has a name wins. May hold secrets."""

    @classmethod
    def load(
        cls,
        *,
        env_file: str | Path | None = None,
        directory: str | Path = ".",
        environment: Mapping[str, str] | None = None,
        **flags: Any,
    ) -> Self:
        """Collect the settings; a flag that is None was not given. Raises `UsageError` that names the culprit."""
        real = dict(os.environ if environment is None else environment)
        folder = Path(directory)
        document = _read_config_file(folder / CONFIG_FILE)
        named = env_file or real.get(f"{PREFIX}ENV_FILE") or document.get("env_file")
        path = folder / str(named) if named else None
        merged = {**(read_env_file(path) if path else {}), **real}
        values = document | _from_variables(merged) | {key: value for key, value in flags.items() if value is not None}
        values["env_file"] = str(path) if path else None
        merged = {f"{PREFIX}{key.upper()}": str(value) for key, value in document.items()} | merged
        try:
            return cls.model_validate(values | {"environment": merged})
        except ValidationError as error:
            raise _told(error, flags, merged) from None

    def arguments(self) -> dict[str, Any]:
        """The settings that a `Workspace` takes, by the names of its parameters."""
        names = "cloud subscription tenant resource_group state deployment environment profile"
        return {name: getattr(self, name) for name in (*names.split(), "simulator_dir", "simulator_speed")}


def setting_names() -> tuple[str, ...]:
    """Names of the settings as ``vpngw.toml`` and ``VPNGW_*`` (in upper case) write them."""
    return tuple(info.alias or name for name, info in Settings.model_fields.items() if name != "environment")


def read_env_file(path: Path) -> dict[str, str]:
    """Variables of a ``NAME=value`` file. Raises `UsageError` with the line, never with its content."""
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"The env file {path} cannot be read: {reason}.", advice="Check --env-file.") from None
    for binding in bindings:
        if binding.error or (binding.key is not None and binding.value is None):
            raise UsageError(
                f"Line {binding.original.line} of {path} is not NAME=value.",
                advice="Write one variable per line; quote values that contain spaces or #.",
                location=f"{path}:{binding.original.line}",
            )
    return {binding.key: binding.value for binding in bindings if binding.key and binding.value is not None}


def _from_variables(variables: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name in setting_names():
        candidates = (f"{PREFIX}{name.upper()}", *OTHER_NAMES.get(name, ()))
        value = next((variables[candidate] for candidate in candidates if variables.get(candidate)), None)
        if value is not None:
            found[name] = value
    return found


def _read_config_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", location=str(path), advice=f"Correct {path}.") from None
    values = {key.replace("-", "_"): value for key, value in document.items()}
    for key in values.keys() - set(setting_names()):
        close = get_close_matches(key, setting_names(), n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"It may hold: {', '.join(setting_names())}."
        raise UsageError(f"{path} has an unknown setting {key!r}.", advice=hint, location=str(path))
    return values


def _told(error: ValidationError, flags: Mapping[str, Any], variables: Mapping[str, str]) -> UsageError:
    first = error.errors(include_url=False, include_context=False)[0]
    name = str(first["loc"][0])
    variable = f"{PREFIX}{name.upper()}"
    where = CONFIG_FILE
    if flags.get(name) is not None:
        where = f"--{name.replace('_', '-')}"
    elif variable in variables:
        where = f"{variable} (environment, env-file or {CONFIG_FILE})"
    said = first["msg"].removeprefix("Value error, ").rstrip("?.")
    return UsageError(f"The setting {name!r} is wrong: {said}.", advice=f"Correct {where}.")
