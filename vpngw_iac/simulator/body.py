"""Reading what comes from outside: the JSON of a request, a file of YAML or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from vpngw_iac.errors import SimulatorError
from vpngw_iac.files import UnreadableFile, read_text
from vpngw_iac.simulator.refusal import front_door
from vpngw_iac.simulator.wire import HttpRequest, Json

Content = TypeVar("Content")


def read_body(request: HttpRequest) -> Json:
    """The JSON object of a request; anything else is refused as ARM does."""
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise front_door(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.")
    return body


def read_file(path: Path, what: str, validated: Callable[[Any], Content]) -> Content:
    """What a file holds; raises `SimulatorError` that says what is wrong with it."""
    try:
        text = read_text(path)
        return validated(json.loads(text) if path.suffix == ".json" else yaml.safe_load(text))
    except UnreadableFile as error:
        raise error.as_error(SimulatorError, str(path), path) from None
    except (ValueError, yaml.YAMLError, ValidationError, RecursionError) as error:
        raise SimulatorError(f"{path} holds no {what} that can be used: {error}") from error
