"""Texts for other people's pages: the comment of a plan, the issue of a drift, a line for a chat.

Names and values in them were written by strangers: they pass through `cell`, `code` and `fenced`, call nobody, link
nowhere and end no block.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vpngw_iac.engine.plan.change import Action
from vpngw_iac.engine.plan.result import Drift
from vpngw_iac.engine.plan.saved import load
from vpngw_iac.errors import VpngwError
from vpngw_iac.report.drawing import BoxKind, Drawing, topology
from vpngw_iac.report.markdown import cell, drift_markdown, plan_markdown
from vpngw_iac.report.markdown_limit import COMMENT_CHARACTERS, limited
from vpngw_iac.report.pictures.mermaid import render
from vpngw_iac.report.view import PlanView
from vpngw_iac.resources.graph import Graph
from vpngw_iac.text import plain, plural, report
from vpngw_iac.usecases.comment_marks import DRIFT, PLAN, Decided, dumped, mark

_MOST_BOXES = 60
_MOST_PICTURE = 15_000
"""Characters; GitHub draws no diagram above 50,000, and a comment holds more than a picture."""
_CUT = "*Cut here: a comment takes no more. The summary of the run and the saved plan have everything.*"

_KINDS: Mapping[Action, BoxKind] = {
    Action.CREATE: "create",
    Action.REPLACE: "delete",
    Action.UPDATE: "update",
    Action.REPAIR: "update",
}


def plan_comment(name: str, plans: Sequence[tuple[Mapping[str, Any], Decided]], run_url: str) -> str:
    """The whole comment of plan files; raises `PlanError` for one that is damaged."""
    marks = "\n".join([mark(PLAN, name), *dumped([decided for _, decided in plans])])
    texts = [plan_markdown(PlanView.load(document), picture_of(document)) for document, _ in plans]
    texts = texts or ["### vpngw plan\n\n🛑 **No plan was made.**\n"]
    foot = f"\nOf [this run]({run_url}).\n" if run_url else ""
    room = COMMENT_CHARACTERS - len(marks) - len(foot) - 2
    return f"{marks}\n{limited(chr(10).join(texts), room, _CUT)}{foot}"


def picture_of(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The topology of a plan file with what changes in colour; empty if it is damaged, or too large to be looked at."""
    try:
        reviewed, view = load(document), PlanView.load(document)
        drawing = topology(Graph.of(reviewed.items), reviewed.name)
    except (VpngwError, TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return ()
    if not drawing.boxes or len(drawing.boxes) > _MOST_BOXES:
        return ()
    text = render(_coloured(drawing, view))
    return tuple(text.splitlines()) if len(text) <= _MOST_PICTURE and "```" not in text else ()


def _coloured(drawing: Drawing, view: PlanView) -> Drawing:
    kinds = {change.id.key: _KINDS[change.action] for change in view.changes if change.action in _KINDS}
    boxes = (replace(box, kind=kinds[box.id], strong=True) if box.id in kinds else box for box in drawing.boxes)
    return replace(drawing, boxes=tuple(boxes))


# --- drift -----------------------------------------------------------------------------------------------------------


def drift_title(deployment: str) -> str:
    """The title of the issue."""
    return f"Drift: {plain(deployment)}"


def drift_body(drift: Drift) -> str:
    """The text of the issue, without what changes with every run."""
    advice = (
        "\n`vpngw plan` shows what an apply would bring back; what is right in Azure belongs into the blueprint. "
        "The next run that finds nothing closes this issue.\n"
    )
    return limited(drift_markdown(drift), COMMENT_CHARACTERS - 4_000, _CUT) + advice


def drift_mark(deployment: str) -> str:
    """The line that the issue of a deployment begins with."""
    return mark(DRIFT, deployment)


@report
def failure_text(error: VpngwError, run_url: str) -> str:
    """That nobody knows whether it has drifted since."""
    of = f"[A later run]({run_url})" if run_url else "A later run"
    return f"⚠️ {of} failed, so that what follows may be out of date: {cell(error.message)}\n"


def chat_text(deployment: str, said: str, run_url: str) -> str:
    """One line for a chat: no markup, and whatever could be a mention there is none."""
    text = plain(f"vpngw drift: {deployment}: {said}")
    return _harmless(text) + (f" {run_url}" if run_url else "")


def drift_said(drift: Drift) -> str:
    """How much has moved, and what first."""
    addresses = list(dict.fromkeys(item.address for item in drift.items))
    return f"{plural(len(addresses), 'resource')} moved away from what was applied ({_some(addresses)})"


def _some(names: Iterable[str]) -> str:
    from vpngw_iac.text import listed

    return listed(names, most=3)


def _harmless(text: str) -> str:
    """Without ``@``, ``<`` and ``>``, of which chats make mentions and links."""
    return text.replace("&", "and").replace("<", "(").replace(">", ")").replace("@", "(at)")
