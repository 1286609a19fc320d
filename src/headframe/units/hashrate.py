"""Hashrates with units at the edges; inside, hashes per second."""

import re

from headframe.units.money import parse_decimal
from headframe.units.wrong import Wrong

_FACTORS = {
    "H": 1.0,
    "kH": 1e3,
    "MH": 1e6,
    "GH": 1e9,
    "TH": 1e12,
    "PH": 1e15,
    "EH": 1e18,
    "ZH": 1e21,
}
_HASHRATE = re.compile(r"([0-9.eE+-]{1,40}) ?(H|kH|MH|GH|TH|PH|EH|ZH)/s")


def parse_hashrate(text: str) -> float:
    """Hashes per second from a figure with its unit, such as ``7.15 EH/s``."""
    match = _HASHRATE.fullmatch(text.strip(" "))
    if match is None:
        raise Wrong(f"a hashrate is written with its unit, like 7.15 EH/s, was {text[:40]!r}")
    hashes = float(parse_decimal(match[1])) * _FACTORS[match[2]]
    if not 0.0 <= hashes <= 1e24:
        raise Wrong(f"a hashrate must lie between 0 and 1000 ZH/s, was {text[:40]!r}")
    return hashes


def format_hashrate(hashes: float) -> str:
    """A hashrate in EH/s or PH/s with two decimals."""
    return f"{hashes / 1e18:.2f} EH/s" if hashes >= 1e17 else f"{hashes / 1e15:.2f} PH/s"
