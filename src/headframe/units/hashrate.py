"""Hashrates with units at the edges; inside, hashes per second."""

import re

from headframe.units.money import parse_decimal
from headframe.units.wrong import Wrong

_FACTORS = {
    unit.lower(): 10**power
    for unit, power in (
        ("H", 0),
        ("kH", 3),
        ("MH", 6),
        ("GH", 9),
        ("TH", 12),
        ("PH", 15),
        ("EH", 18),
        ("ZH", 21),
    )
}
"""By lower-case unit: no hashrate is in millihashes, so case distinguishes nothing."""
_HASHRATE = re.compile(
    r"([0-9]{1,30}(?:\.[0-9]{0,30})?(?:[eE][+-]?[0-9]{1,2})?) ?([kmgtpez]?h)/s", re.IGNORECASE
)
_THREE_DECIMALS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{2}0")
"""25.000 TH/s are 25 for one writer and 25 thousand for another; 7.153 EH/s are what they say."""


def parse_hashrate(text: str) -> float:
    """Hashes per second from a figure with its unit, such as ``7.15 EH/s``."""
    match = _HASHRATE.fullmatch(text.strip(" "))
    if match is None:
        raise Wrong(f"a hashrate is written with its unit, like 7.15 EH/s, was {text[:40]!r}")
    if _THREE_DECIMALS.fullmatch(match[1]):
        raise Wrong(
            f"hashrate {text[:40]} is ambiguous: the point may separate thousands or decimals; "
            f"fix: write {match[1].rstrip('0').rstrip('.')} or {match[1].replace('.', '')} {match[2]}/s"
        )
    hashes = float(parse_decimal(match[1]) * _FACTORS[match[2].lower()])
    if not 0.0 <= hashes <= 1e24:
        raise Wrong(f"a hashrate must lie between 0 and 1000 ZH/s, was {text[:40]!r}")
    return hashes


def format_hashrate(hashes: float) -> str:
    """A hashrate in EH/s or PH/s with two decimals."""
    return f"{hashes / 1e18:.2f} EH/s" if hashes >= 1e17 else f"{hashes / 1e15:.2f} PH/s"
