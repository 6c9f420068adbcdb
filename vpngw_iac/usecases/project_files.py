"""What stands beside a blueprint in a project: settings, names of secrets, what is not committed. Texts only, pure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.text import plain
from vpngw_iac.usecases.settings_file import CONFIG_FILE

ENV_FILE = ".env"
ENV_EXAMPLE = ".env.example"
IGNORE_FILE = ".gitignore"
BLUEPRINT_SCHEMA = ".vpngw/schema/blueprint.json"
SETTINGS_SCHEMA = ".vpngw/schema/settings.json"

IGNORED: Mapping[str, str] = {
    ".vpngw/": "State, content of the simulator, schemas for the editor.",
    ENV_FILE: "Values of secrets.",
}
"""What is not committed, with the reason."""

SCHEMA_LINE = f"yaml-language-server: $schema={BLUEPRINT_SCHEMA}"
"""First comment of a YAML blueprint: editors with the YAML language server read it (Visual Studio Code, Neovim)."""


@dataclass(frozen=True, slots=True)
class ProjectFiles:
    """What a project's settings say, and which secrets its blueprint refers to."""

    cloud: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further settings by their name in ``vpngw.toml``."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of secrets, each with what its value is."""

    @property
    def config_text(self) -> str:
        """``vpngw.toml``, with the line that tells an editor its schema (Taplo, Even Better TOML)."""
        return "\n".join([f"#:schema {SETTINGS_SCHEMA}", *self._config()]) + "\n"

    def _config(self) -> Iterator[str]:
        yield "# What every `vpngw` command in this folder knows. A flag or a VPNGW_* variable comes first."
        yield ""
        if self.cloud == "simulator":
            yield '# The simulator needs no subscription. For Azure write "public", and your subscription.'
        yield f"cloud = {_toml(self.cloud)}"
        for name, value in self.settings.items():
            yield f"{name} = {_toml(value)}"
        if "subscription" not in self.settings:
            yield '# subscription = "00000000-0000-0000-0000-000000000000"'
        if self.keys:
            yield ""
            yield f"# Values of secrets; {ENV_EXAMPLE} lists their names. A variable of the environment comes first."
            yield f'env_file = "{ENV_FILE}"'
        if "state" not in self.settings:
            yield ""
            yield "# The state is in .vpngw/state, which is not committed. A team keeps it in a blob container:"
            yield '# state = "azblob://ACCOUNT/CONTAINER/PREFIX"'

    @property
    def example_text(self) -> str:
        """``.env.example``: every name, no value."""
        head = [
            "# Values that no repository may hold.",
            f"# Copy this file to {ENV_FILE}, which is not committed, and fill it in; or export the variables.",
        ]
        if not self.keys:
            head = ["# Values that no repository may hold. This blueprint refers to none yet: Secret.env(NAME) does."]
        return "\n".join([*head, *self._variables(dict.fromkeys(self.keys, ""))]) + "\n"

    def env_text(self, values: Mapping[str, str]) -> str:
        """``.env``: the same with values."""
        head = ["# Made for this project. Not committed; put what a real device needs in place of what is here."]
        return "\n".join([*head, *self._variables(values)]) + "\n"

    def _variables(self, values: Mapping[str, str]) -> Iterator[str]:
        for name, what in self.keys.items():
            yield ""
            yield from textwrap.wrap(f"# {plain(what)}", 100, subsequent_indent="# ")
            yield f"{name}={values[name]}"


def ignore_lines(there: str) -> Sequence[str]:
    """What a ``.gitignore`` lacks, reasons as comments; nothing if it says all of it."""
    said = {line.strip().strip("/") for line in there.splitlines()}
    lacking = [(line, why) for line, why in IGNORED.items() if line.strip("/") not in said]
    return tuple(text for line, why in lacking for text in (f"# {why}", line))


def names_of(files: Iterable[str]) -> tuple[str, ...]:
    """Files of a project in the order in which they are told: the blueprint, then what stands beside it."""
    order = (CONFIG_FILE, ENV_EXAMPLE, ENV_FILE, IGNORE_FILE)
    return tuple(sorted(files, key=lambda name: (name in order, order.index(name) if name in order else 0)))


def _toml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
