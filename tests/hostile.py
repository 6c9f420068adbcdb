"""Texts that would do harm if they were shown as they are, and the judge of what was shown."""

from __future__ import annotations

import re
import unicodedata

TEXTS = {
    "line breaks": "a\nb\rc\r\nd\x0be\x0cf\x1cg\x85h\u2028i\u2029j",
    "commands": "x\n::add-mask::y\n  ::set-output name=a::b\n::stop-commands::c",
    "legacy commands": "##[error]boom ##[add-path]/x ##vso[task.setvariable variable=a]b ##VSO[x]y",
    "terminal codes": "\x1b[2J\x1b]0;title\x07\x1b[31mred\x1b[8mhidden\x9b31m\x08\x7f\x00",
    "directions": "\u202egnp.exe\u202c \u2066a\u2069 \u200e\u200f\u061c",
    "nothing to see": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg\U000e0041h\u3164i",
    "halves": "a\ud800b\udc00c",
    "markup": "`@everyone` <img src=x onerror=y> </title></details>&lt; | a\\| b ``` [c](https://d.e) ]](x)",
    "directives": "$a$ %%{init: {}}%% %% x",
    "quotes": '"\'\\" \\N ; # {} <br/>',
}
EVERYTHING = "\n".join(TEXTS.values())

_OURS = re.compile(r"\x1b\[(?:0|(?:[12]|3[1-6])(?:;(?:[12]|3[1-6]))?)m")
_ALLOWED = {"\u200d", "\ufe0f"}
"""Parts of emoji."""


def harm_in(output: str) -> list[str]:
    """Everything in an output that misleads a terminal, a person or a runner."""
    shown = _OURS.sub("", output)
    wrong = [
        f"U+{ord(character):04X}"
        for character in shown
        if character != "\n"
        and character not in _ALLOWED
        and (unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") or character == "\u3164")
    ]
    wrong += [line for line in shown.split("\n") if line.lstrip().startswith("::")]
    return wrong + re.findall(r"(?i)##(?:vso)?\[", shown)
