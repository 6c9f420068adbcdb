"""Whether what was negotiated is what was declared. Only against a declared policy, and only in known spellings. Pure.

Lifetimes are shown and never judged: they are local (R-IPSEC-09). PFS is unknown until the first rekey, since the first
child of an IKEv2 association has none (RFC 7296), and is then judged on the youngest child.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.verify.expectation import IpsecExpectation, PathExpectation
from vpngw_iac.verify.questions import Association, Associations, ChildAssociation, LastWrite, Unknown

_YOUNG = 120
"""Seconds that the first child may be younger than its IKE association."""

_SPELLINGS = {
    "des": "DES", "descbc": "DES", "3des": "3DES", "des3": "3DES", "tripledes": "3DES",
    "aes128": "AES128", "aescbc128": "AES128", "aes192": "AES192", "aescbc192": "AES192",
    "aes256": "AES256", "aescbc256": "AES256",
    "gcmaes128": "GCMAES128", "aesgcm128": "GCMAES128", "aes128gcm": "GCMAES128", "aes128gcm16": "GCMAES128",
    "gcmaes192": "GCMAES192", "aesgcm192": "GCMAES192", "aes192gcm": "GCMAES192", "aes192gcm16": "GCMAES192",
    "gcmaes256": "GCMAES256", "aesgcm256": "GCMAES256", "aes256gcm": "GCMAES256", "aes256gcm16": "GCMAES256",
    "md5": "MD5", "hmacmd5": "MD5", "sha": "SHA1", "sha1": "SHA1", "hmacsha1": "SHA1",
    "sha256": "SHA256", "hmacsha256": "SHA256", "sha2256": "SHA256", "sha384": "SHA384", "hmacsha384": "SHA384",
    "sha2384": "SHA384", "none": "none",
    "dhgroup1": "group 1", "pfs1": "group 1", "group1": "group 1", "modp768": "group 1",
    "dhgroup2": "group 2", "pfs2": "group 2", "group2": "group 2", "modp1024": "group 2",
    "dhgroup14": "group 14", "dhgroup2048": "group 14", "pfs2048": "group 14", "pfs14": "group 14",
    "group14": "group 14", "modp2048": "group 14",
    "dhgroup24": "group 24", "pfs24": "group 24", "group24": "group 24",
    "ecp256": "group 19", "group19": "group 19", "dhgroup19": "group 19", "pfsecp256": "group 19",
    "ecp384": "group 20", "group20": "group 20", "dhgroup20": "group 20", "pfsecp384": "group 20",
}  # fmt: skip
"""Known spellings of Azure, of devices and of RFCs, without case, dashes and underscores; any other proves nothing."""

WEAK = frozenset({"DES", "3DES", "MD5", "SHA1", "group 1", "group 2"})
"""What a note under the default policy names (R-SEC-03)."""

_LATE = "the activity log is up to 20 min late"
_SKEW = 120.0
"""Seconds by which our clock and Azure's may differ."""

_LIKE_PHASE_1 = "pfsmm"
"""PFS with the group of phase 1."""


@dataclass(frozen=True, slots=True)
class AssociationFindings:
    """What the associations of one connection make."""

    wrong: tuple[str, ...] = ()
    """Not as declared, and made since it was declared."""
    notes: tuple[str, ...] = ()


def judge_associations(
    expected: PathExpectation, reply: Associations | Unknown, changed: LastWrite | Unknown
) -> AssociationFindings:
    """Compare; `changed` says how long ago the connection, and with it its policy, was written."""
    if isinstance(reply, Unknown):
        return AssociationFindings(notes=(f"Security associations: {reply.reason}.",))
    if not reply.items:
        return AssociationFindings(notes=("There is no security association: nothing was negotiated.",))
    wrong: list[str] = []
    notes: list[str] = []
    for one in reply.items:
        found = list(_differences(expected, one))
        if found and _is_older(one, changed):
            told = "; ".join(found)
            notes.append(f"{_name(one)}: old SA, made before the policy was changed ({told}): reset to enforce")
        elif found and (doubt := changed.reason if isinstance(changed, Unknown) else changed.doubt):
            told = f"{'; '.join(found)}; whether it is older than the policy is not known"
            notes.append(f"{_name(one)}: {told} ({doubt}): reset to enforce")
        else:
            wrong += [f"{_name(one)}: {each}" for each in found]
        notes += _notes(expected, one)
        wrong += _outside(expected, one)
    return AssociationFindings(tuple(dict.fromkeys(wrong)), tuple(dict.fromkeys(notes)))


def last_change(logged: LastWrite | Unknown, put: float | None, known: float | None) -> LastWrite | Unknown:
    """When the policy may have been changed last, from the activity log and from what we remember.

    `put` and `known`: seconds since our last PUT, and since we last knew what the connection has. The log is late: its
    rows arrive within 3 to 20 minutes (page "Azure Monitor activity log"), so that our own PUT may not be in it yet.
    That a later one of somebody else is missing matters only if the policy was another one just before, and that takes
    a write since we knew it, which the log has: then, and where nothing is remembered, nothing is proven.
    """
    if isinstance(logged, Unknown):
        return logged if put is None else LastWrite(put, logged.reason)
    ago = min((one for one in (logged.ago, put) if one is not None), default=None)
    if known is None:
        return LastWrite(ago, f"{_LATE}, and no run here knows the policy before")
    if logged.ago is not None and logged.ago + _SKEW < known:
        return LastWrite(ago, f"{_LATE}, and somebody else has written the connection since our last run")
    return LastWrite(ago)


def has_differences(expected: PathExpectation, reply: Associations | Unknown) -> bool:
    """Whether anything differs, so that it matters when the policy was changed."""
    items = () if isinstance(reply, Unknown) else reply.items
    return any(True for one in items for _ in _differences(expected, one))


def _name(one: Association) -> str:
    return f"SA {one.local} to {one.remote}"


def _is_older(one: Association, changed: LastWrite | Unknown) -> bool:
    return isinstance(changed, LastWrite) and changed.ago is not None and one.age > changed.ago


def _differences(expected: PathExpectation, one: Association) -> Iterator[str]:
    policy = expected.policy
    if policy is None:
        return
    yield from _differs("IKE encryption", policy.ike_encryption, one.encryption)
    if not (_plain(one.integrity) == "none" and "GCM" in (_plain(one.encryption) or "")):
        yield from _differs("IKE integrity", policy.ike_integrity, one.integrity)
    yield from _differs("DH group", policy.dh_group, one.dh_group)
    youngest = _youngest(one)
    if youngest is None:
        return
    yield from _differs("IPsec encryption", policy.ipsec_encryption, youngest.encryption)
    yield from _differs("IPsec integrity", policy.ipsec_integrity, youngest.integrity)
    if not _pfs_is_unknown(expected, one, youngest):
        yield from _differs("PFS group", _group(policy), youngest.pfs)


def _differs(what: str, declared: str, negotiated: str) -> Iterator[str]:
    """Only where both are spelt as we know it; a combined cipher needs no integrity of its own."""
    mine, theirs = _plain(declared), _plain(negotiated)
    if mine is None or theirs is None or mine == theirs:
        return
    if "integrity" in what and "GCM" in mine + theirs:
        return
    yield f"{what} is {negotiated}, declared is {declared}"


def _notes(expected: PathExpectation, one: Association) -> Iterator[str]:
    youngest = _youngest(one)
    strange = [text for text in _spelt(one, youngest) if _plain(text) is None]
    if strange and expected.policy is not None:
        yield f"{_name(one)}: {', '.join(strange)} is no spelling that is known here, and was not compared"
    if expected.policy is not None and youngest is not None and _pfs_is_unknown(expected, one, youngest):
        yield f"{_name(one)}: PFS is not known before the first rekey"
    weak = sorted({plain for text in _spelt(one, youngest) if (plain := _plain(text)) in WEAK and plain})
    if weak and expected.policy is None:
        yield f"{_name(one)}: the default policy led to {', '.join(weak)}; say ipsec=IpsecPolicy.strong()"


def _spelt(one: Association, child: ChildAssociation | None) -> list[str]:
    inner = [child.encryption, child.integrity, child.pfs] if child is not None else []
    return [text for text in (one.encryption, one.integrity, one.dh_group, *inner) if text]


def _youngest(one: Association) -> ChildAssociation | None:
    return min(one.children, key=lambda child: child.age, default=None)


def _pfs_is_unknown(expected: PathExpectation, one: Association, youngest: ChildAssociation) -> bool:
    """IKEv1 negotiates the group for each child, the first one too."""
    return not expected.ikev1 and _plain(youngest.pfs) == "none" and one.age - youngest.age <= _YOUNG


def _group(policy: IpsecExpectation) -> str:
    return policy.dh_group if policy.pfs_group.lower() == _LIKE_PHASE_1 else policy.pfs_group


def _plain(text: str) -> str | None:
    return _SPELLINGS.get(text.lower().replace("-", "").replace("_", "").replace(" ", ""))


# --- traffic selectors -----------------------------------------------------------------------------------------------


def _outside(expected: PathExpectation, one: Association) -> Iterator[str]:
    """Pairs of a policy-based tunnel that nobody declared; that one is missing proves nothing: nobody sent anything."""
    if expected.selectors is None:
        return
    allowed = [(_range(ours), _range(theirs)) for ours, theirs in expected.selectors]
    if not allowed or any(None in pair for pair in allowed):
        return
    for child in one.children:
        for mine, theirs in zip(child.local, child.remote, strict=False):
            pair = _range(mine), _range(theirs)
            if None not in pair and not any(_within(pair, each) for each in allowed):
                yield f"{_name(one)}: carries {mine} to {theirs}, which is no declared pair"


def missing_pairs(expected: PathExpectation, items: Iterable[Association]) -> int:
    """How many declared pairs have no association: unknown, since they show on traffic."""
    seen = {
        (_range(mine), _range(theirs))
        for one in items
        for child in one.children
        for mine, theirs in zip(child.local, child.remote, strict=False)
    }
    wanted = [(_range(ours), _range(theirs)) for ours, theirs in expected.selectors or ()]
    return sum(1 for pair in wanted if pair not in seen)


def _within(inner: tuple[object, object], outer: tuple[object, object]) -> bool:
    return all(_inside(one, other) for one, other in zip(inner, outer, strict=True))


def _inside(inner: object, outer: object) -> bool:
    if not isinstance(inner, tuple) or not isinstance(outer, tuple):
        return False
    return bool(outer[0] <= inner[0] and inner[1] <= outer[1])


def _range(text: str) -> tuple[int, int] | None:
    """First and last address of a range or a prefix; None for what is neither."""
    try:
        if "-" in text:
            first, last = (int(ipaddress.ip_address(part.strip())) for part in text.split("-", 1))
            return first, last
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return int(network.network_address), int(network.broadcast_address)
