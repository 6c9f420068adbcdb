"""JSON Schemas for editors: of blueprints, and of ``vpngw.toml``; read off the nouns and the settings themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from vpngw_iac.blueprints.load import schema as blueprint_schema
from vpngw_iac.blueprints.schema import own_docs
from vpngw_iac.usecases.settings import CLOUDS, Settings, setting_names
from vpngw_iac.usecases.settings_file import CONFIG_FILE


def schema_of(what: Literal["blueprint", "settings"]) -> dict[str, Any]:
    """The schema of YAML and JSON blueprints, or of ``vpngw.toml``."""
    return blueprint_schema() if what == "blueprint" else settings_schema()


def write_schema(file: Path | str, content: Mapping[str, Any]) -> None:
    """Write it on one line, as nobody reads it; the folder is made."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    Path(file).write_text(f"{text}\n", encoding="utf-8")


def settings_schema() -> dict[str, Any]:
    """Every key that ``vpngw.toml`` may hold, with its meaning; a hyphen may stand for each underscore there."""
    made = Settings.model_json_schema(by_alias=True)["properties"]
    docs = own_docs(Settings)
    fields = {info.alias or name: name for name, info in Settings.model_fields.items()}
    properties: dict[str, Any] = {}
    for name in setting_names():
        entry = _told(made[name], docs.get(fields[name], "") or _MEANINGS.get(name, ""))
        properties[name] = entry
        if "_" in name:
            properties[name.replace("_", "-")] = entry
    properties["cloud"]["examples"] = [*CLOUDS, "https://ENDPOINT"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": CONFIG_FILE,
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


_MEANINGS = {
    "subscription": "Default subscription.",
    "tenant": "Tenant to sign in to.",
    "resource_group": "Default resource group.",
    "no_color": "No colours.",
    "verbose": "Show where an unexpected error comes from.",
    "json": "One JSON document on stdout, also on failure.",
}
"""What a setting means wherever its class says nothing more."""


def _told(made: dict[str, Any], meaning: str) -> dict[str, Any]:
    """The entry without null, which TOML does not have, and without a title that repeats the name."""
    choices = [each for each in made.get("anyOf", ()) if each.get("type") != "null"]
    entry = {key: value for key, value in made.items() if key not in ("title", "anyOf", "default")}
    return {**entry, **(choices[0] if choices else {}), "description": meaning.replace("``", "`")}
