"""YAML and JSON files as plain documents, with the line of every place in them. Duplicate keys are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from vpngw_iac.blueprints.broken import broken, unreadable
from vpngw_iac.blueprints.source_lines import fields_in, line_of_value
from vpngw_iac.errors import BlueprintError
from vpngw_iac.files import UnreadableFile, read_text
from vpngw_iac.late_dataclass import dataclass

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc, valid-type]
    """YAML as people expect it: only true and false are booleans, dates stay texts, a key may stand once."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Refuse a value that Python cannot read, at its place: it reads integers of 4,300 digits at most."""
        try:
            return super().construct_object(node, deep=deep)
        except yaml.YAMLError:
            raise
        except (ValueError, TypeError, AttributeError, KeyError):
            is_long = isinstance(node, yaml.ScalarNode) and len(node.value) > _MOST_DIGITS
            what = "a number with too many digits" if is_long else "no value of the kind that its tag says"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a repeated key, which YAML would let win silently."""
        seen: set[str] = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != "tag:yaml.org,2002:merge":
                if key_node.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                    )
                seen.add(key_node.value)
        self.flatten_mapping(node)
        return dict(super().construct_mapping(node, deep=deep))


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    dropped = {f"tag:yaml.org,2002:{name}" for name in ("timestamp", "bool", "int", "float")}
    return {
        first: [(tag, pattern) for tag, pattern in entries if tag not in dropped]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.yaml_implicit_resolvers = _resolvers()
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|True|false|False)$"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+\.[0-9]+$"), list("-+0123456789"))


@dataclass(frozen=True, slots=True)
class TextDocument:
    """A parsed file and its node tree."""

    path: Path
    content: Any
    root: Any = None

    def line(self, location: tuple[str | int, ...], said: str = "") -> int | None:
        """Line of the deepest place on the way to a location that exists, counted from 1.

        If `said` repeats a value that is written there, or names a field of it, it is the line of that.
        """
        node, line = self.root, None
        for part in location:
            step = _child(node, part)
            if step is None:
                # A tag of a union is not a place in the file.
                continue
            node, line = step
        if not said or line is None:
            return line
        named = next((step[1] for name in fields_in(said) if (step := _child(node, name))), line)
        return line_of_value(said, _scalars(node)) or named


def _child(node: Any, part: str | int) -> tuple[Any, int] | None:
    """What is written one step further, with the line of the value; of one that goes over several lines, of its key."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                written = value if isinstance(value, yaml.ScalarNode) else key
                return value, written.start_mark.line + 1
        for key, value in node.value:
            merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
            if key.tag == "tag:yaml.org,2002:merge":
                found = next((step for item in merged if (step := _child(item, part))), None)
                if found:
                    return found
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item, item.start_mark.line + 1
    return None


def _scalars(node: Any) -> Iterator[tuple[Any, int]]:
    if isinstance(node, yaml.ScalarNode):
        yield node.value, node.start_mark.line + 1
    elif isinstance(node, yaml.CollectionNode):
        for item in node.value:
            for part in item[1:] if isinstance(item, tuple) else (item,):
                yield from _scalars(part)


def read_document(path: Path) -> TextDocument:
    """Parse a YAML or JSON file; raises `BlueprintError` with the line of what is wrong."""
    try:
        text = read_text(path)
    except UnreadableFile as error:
        raise unreadable(path, error) from None
    return _json(path, text) if path.suffix.lower() == ".json" else _yaml(path, text)


def _json(path: Path, text: str) -> TextDocument:
    """JSON by its own rules; as YAML, of which it is a part, it has lines, and a key may stand once."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise broken(path, error.lineno, f"It is not JSON: {error.msg}.") from None
    except RecursionError:
        raise broken(path, None, "It is nested too deeply.") from None
    except ValueError:
        long = _LONG_NUMBER.search(text)
        line = text.count("\n", 0, long.start()) + 1 if long else None
        raise broken(path, line, "It is not JSON that can be read: a number with too many digits.") from None
    try:
        root = _yaml(path, _PAIR.sub(lambda pair: json.loads(f'"{pair[0]}"'), text)).root
    except BlueprintError:
        if _says_twice(text):
            raise
        root = None  # JSON writes some characters that YAML does not: then places have no lines
    return TextDocument(path, content, root)


def _says_twice(text: str) -> bool:
    """Whether an object of a JSON text has a key twice."""
    twice: list[bool] = []
    json.loads(text, object_pairs_hook=lambda pairs: twice.append(len(dict(pairs)) < len(pairs)))
    return any(twice)


_MOST_DIGITS = 4_300
"""https://docs.python.org/3/library/stdtypes.html#integer-string-conversion-length-limitation."""
_LONG_NUMBER = re.compile(rf"(?<!\d)\d{{{_MOST_DIGITS + 1},}}")

_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
"""A character that JSON writes as two; YAML does not."""


def _yaml(path: Path, text: str) -> TextDocument:
    language = "JSON" if path.suffix.lower() == ".json" else "YAML"
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            content = loader.construct_document(root) if root is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        missing_colon = error.problem == "could not find expected ':'"  # noticed on the line after the one without it
        mark = (error.context_mark if missing_colon else None) or error.problem_mark or error.context_mark
        is_tab = mark is not None and "\n".join(text.splitlines()[mark.line :])[mark.column :].startswith("\t")
        advice = "There is a tab: indent with spaces." if is_tab else ""
        place = mark.line + 1 if mark else None
        raise broken(path, place, f"It is not {language}: {error.problem}.", advice=advice) from None
    except yaml.YAMLError as error:
        raise broken(path, None, f"It is not {language}: {str(error).splitlines()[0]}.") from None
    except RecursionError:
        raise broken(path, None, "It is nested too deeply.") from None
    return TextDocument(path, content, root)
