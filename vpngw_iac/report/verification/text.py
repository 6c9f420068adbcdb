"""Verifications for people: what is not up first, the one sentence last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vpngw_iac.report.formatting import byte_count
from vpngw_iac.report.style import Style, columns
from vpngw_iac.report.verification import ToldVerifications
from vpngw_iac.text import listed, plural, report
from vpngw_iac.verify.questions import Association
from vpngw_iac.verify.verdict import WORDS, PathVerdict, SubjectVerdict, Verification, Word

_COLOURS: dict[Word, str] = {
    "up": "green",
    "degraded": "yellow",
    "down": "red",
    "never up": "yellow",
    "unknown": "yellow",
}
_ORDER: tuple[Word, ...] = ("down", "degraded", "unknown", "never up", "up")


def render(told: ToldVerifications) -> str:
    """Each deployment, one after the other; of several the sum at the end."""
    blocks = [verification_text(found, told.style) for found in told.found]
    return "\n".join([*blocks, *([f"{_sum(told.found, told.style)}\n"] if len(blocks) > 1 else [])])


@report
def verification_text(found: Verification, style: Style) -> str:
    """What was found in one deployment."""
    return "\n".join(_lines(found, style)) + "\n"


def _lines(found: Verification, style: Style) -> Iterator[str]:
    for notice in found.notices:
        yield from style.wrap(f"Note: {notice}")
    if not found.subjects:
        yield f"{found.deployment}: there is nothing to verify."
        return
    ordered = sorted(found.subjects, key=lambda one: (not one.live, _ORDER.index(one.word)))
    rows = [(one.name, style.paint(one.word, _COLOURS[one.word]), _reason(one)) for one in ordered]
    heads = columns(rows)
    for head, one in zip(heads, ordered, strict=True):
        yield head
        yield from (f"    {line}" for path in one.paths for line in _path(path, style))
        yield from (line for note in one.notes for line in style.wrap(note, "    "))
    yield ""
    yield sentence(found, style)


def _reason(one: SubjectVerdict) -> str:
    told = one.reason or _evidence(one)
    return told if one.live else f"{told} (not live yet)".strip()


def _evidence(one: SubjectVerdict) -> str:
    """Tunnels, sessions and bytes of what is up."""
    tunnels = sum(tunnel.is_up for path in one.paths for tunnel in path.tunnels)
    sessions = sum(session.is_up for path in one.paths for session in path.sessions)
    incoming, outgoing = (sum(getattr(path, name) for path in one.paths) for name in ("incoming", "outgoing"))
    parts = [plural(tunnels, "tunnel")] if tunnels else []
    parts += [plural(sessions, "BGP session")] if sessions else []
    parts += [f"in {byte_count(incoming)}, out {byte_count(outgoing)}"] if tunnels else []
    return ", ".join(parts)


def _path(path: PathVerdict, style: Style) -> Iterator[str]:
    """What was looked at more closely: associations and notes."""
    rows = [row for one in path.associations for row in _association(one)]
    yield from columns(rows)
    for one in path.sessions if path.associations else ():
        for_long = f" for {one.duration}" if one.duration and one.is_up else ""
        yield f"BGP {one.local} to {one.neighbour}: {one.state}{for_long}, {plural(one.routes, 'route')} received"
    for note in path.notes:
        yield from style.wrap(f"{path.connection.name}: {note}")


def _association(one: Association) -> Iterator[tuple[str, ...]]:
    nat = ", through NAT" if one.through_nat else ""
    ike = "/".join(filter(None, (one.encryption, one.integrity, one.dh_group)))
    yield f"SA {one.local} to {one.remote}{nat}", "IKE", ike, f"{one.age} s old of {one.seconds} s"
    for child in one.children:
        ipsec = "/".join(filter(None, (child.encryption, child.integrity)))
        yield (
            "",
            "IPsec",
            f"{ipsec}, PFS {child.pfs or 'not told'}",
            f"{child.age} s old of {child.seconds} s, {child.kilobytes} kB",
        )


def sentence(found: Verification, style: Style) -> str:
    """The end of it: how many tunnels are up, and how many subjects have which verdict."""
    return _counted(found.deployment, (found,), style)


@report
def _sum(found: Sequence[Verification], style: Style) -> str:
    """The same for several deployments, and where something is down."""
    down = [one.deployment for one in found if one.count("down")]
    told = _counted(plural(len(found), "deployment"), found, style)
    return f"{told} Down: in {listed(down, most=10)}." if down else told


def _counted(what: str, found: Sequence[Verification], style: Style) -> str:
    up, every, never = (sum(one.tunnels[index] for one in found) for index in range(3))
    tunnels = f"{up} of {plural(every, 'tunnel')} up{f', {never} never up' if never else ''}. " if every else ""
    counts = {word: sum(one.count(word) for one in found) for word in WORDS}
    words = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "nothing that is live"
    every_up = counts["up"] == sum(len(one.subjects) for one in found)
    colour = "red" if counts["down"] else "green" if every_up else "yellow"
    return style.paint(f"Verified {what}: {tunnels}{words[:1].upper()}{words[1:]}.", colour, "bold")
