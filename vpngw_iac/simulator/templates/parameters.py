"""What a template is given: its parameters, checked as Azure checks them before anything begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vpngw_iac.simulator.templates.checks import as_text, is_type, type_name
from vpngw_iac.simulator.templates.errors import TemplateError

SECURE = frozenset({"securestring", "secureobject"})
_TYPES = {"string": str, "securestring": str, "int": int, "bool": bool, "object": dict, "secureobject": dict}
_TYPES |= {"array": list}
_ANSWERED = {"securestring": "SecureString", "secureobject": "SecureObject"}


def answered_type(told: Mapping[str, Any]) -> str:
    """The type of a parameter or an output as Azure answers it (``test_network_vpn_connection_ipsec``)."""
    name = str(told.get("type", "")).lower()
    return _ANSWERED.get(name, name.capitalize())


def is_secure(told: Mapping[str, Any]) -> bool:
    """Whether Azure never tells the value."""
    return str(told.get("type", "")).lower() in SECURE


def parameter_values(
    told: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], default: Callable[[Mapping[str, Any], Any], Any]
) -> dict[str, Any]:
    """The value of each parameter by its name in lower case; raises `TemplateError`.

    `default` works out a default that is an expression: it gets the values so far.
    """
    known = {name.lower() for name in told}
    if strangers := [name for name in given if name.lower() not in known]:
        raise TemplateError(
            f"The template parameters '{', '.join(strangers)}' in the parameters file are not valid; they are not "
            "present in the original template and can therefore not be provided at deployment time. The only supported "
            f"parameters for this template are '{', '.join(told)}'. Please see "
            "https://aka.ms/arm-pass-parameter-values for usage details."
        )
    lower = {name.lower(): value for name, value in given.items()}
    values: dict[str, Any] = {}
    for name, each in told.items():
        if lower.get(name.lower()) is not None:
            values[name.lower()] = lower[name.lower()]
        elif "defaultValue" in each:
            values[name.lower()] = default(values, each["defaultValue"])
        elif each.get("nullable") is True:
            values[name.lower()] = None
            continue
        else:
            raise TemplateError(
                f"The value for the template parameter '{name}' is not provided. Please see "
                "https://aka.ms/arm-create-parameter-file for usage details."
            )
        check_value(f"template parameter '{name}'", each, values[name.lower()])
    return values


def check_value(what: str, told: Mapping[str, Any], value: Any) -> None:
    """Raise `TemplateError` for a value that its declaration does not allow; the text never holds a secure value."""
    wanted = _TYPES.get(str(told.get("type", "")).lower())
    if wanted is None and "$ref" not in told:
        raise TemplateError(
            f"The {what} is not valid: the type '{told.get('type', '')}' is not one of "
            "'string, securestring, int, bool, object, secureObject, array'."
        )
    if wanted is not None and not is_type(value, wanted):
        raise _wrong(
            what, f"Expected a value of type '{answered_type(told)}', but received a value of type '{type_name(value)}'"
        )
    _check_allowed(what, told, value)
    _check_size(what, told, value)


def _check_allowed(what: str, told: Mapping[str, Any], value: Any) -> None:
    allowed = told.get("allowedValues")
    if allowed is None or value in allowed or (isinstance(value, list) and all(item in allowed for item in value)):
        return
    shown = "The value" if is_secure(told) else f"The value '{as_text(value)}'"
    raise _wrong(what, f"{shown} is not part of the allowed value(s): '{','.join(map(as_text, allowed))}'")


def _check_size(what: str, told: Mapping[str, Any], value: Any) -> None:
    length = len(value) if isinstance(value, str | list) else None
    number = value if is_type(value, int) else None
    for word, size, name in (("Length", length, "Length"), ("Value", number, "Value")):
        if size is None:
            continue
        least, most = told.get(f"min{name}"), told.get(f"max{name}")
        if least is not None and size < least:
            raise _wrong(what, f"{word} of the value should be greater than or equal to '{least}'")
        if most is not None and size > most:
            raise _wrong(what, f"{word} of the value should be less than or equal to '{most}'")


def _wrong(what: str, why: str) -> TemplateError:
    return TemplateError(
        f"The provided value for the {what} is not valid. {why}. Please see "
        "https://aka.ms/arm-parameter-file for usage details."
    )
