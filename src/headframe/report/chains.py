"""Chains as tables, and their facts as JSON says them."""

from datetime import datetime
from typing import Any

from headframe.chain import CHAINS, Chain, Known
from headframe.report.table import Column, Form, Table
from headframe.units import iso

_UNVERIFIED = "unverified"


def subsidy_facts(one: Chain, position: int, known: Known | None = None) -> dict[str, Any]:
    """The subsidy at a position and the step that follows it."""
    step = one.next_step(position)
    at = None if step is None else one.step_at(step, known)
    return {
        "coin": one.coin,
        "position": one.position,
        "height": position,
        "subsidy": one.coins(one.subsidy(position)),
        "miner_subsidy": one.coins(one.miner_subsidy(position)),
        "next_step_height": step,
        "next_step_subsidy": None if step is None else one.coins(one.subsidy(step)),
        "next_step_at": _stamp(at),
        "unverified": list(one.unverified),
    }


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else iso(at.replace(microsecond=0))


def chain_facts(one: Chain, at: datetime) -> dict[str, Any]:
    """Everything a chain says of itself, with its expected state at an instant."""
    position = one.position_at(at)
    return {
        **subsidy_facts(one, position),
        "name": one.name,
        "algorithm": one.algorithm,
        "block_interval_seconds": float(one.spacing_seconds),
        "difficulty_rule": one.rule,
        "adjusts_every_blocks": one.period,
        "intervals_measured": one.intervals,
        "hashes_per_difficulty": one.hashes_per_difficulty,
        "known_at": None if one.known is None else _stamp(one.known.at),
        "known_source": None if one.known is None else one.known.source,
        "merged_with": list(one.merged_with),
        "sources": list(one.sources),
        "notes": one.notes,
    }


def chains_table(at: datetime) -> Table:
    """All chains in a line each, as they should stand at an instant."""
    rows = tuple(
        (
            one.coin,
            one.algorithm,
            float(one.spacing_seconds),
            one.coins(one.miner_subsidy(one.position_at(at))).rstrip("0").rstrip("."),
            _next(one, at),
            _marked(one, "difficulty rule"),
        )
        for one in CHAINS.values()
    )
    return Table(
        title=f"Proof-of-work chains, as they should stand on {at:%Y-%m-%d}",
        columns=(
            Column("coin"),
            Column("algorithm"),
            Column("block s", Form.COINS),
            Column("miner's subsidy"),
            Column("next step"),
            Column("difficulty rule"),
        ),
        rows=rows,
        note=(
            "Verified: our integers reproduce every published vector. Positions and dates are counted "
            "at the target spacing from a known point."
        ),
    )


def _next(one: Chain, at: datetime) -> str:
    facts = subsidy_facts(one, one.position_at(at))
    if facts["next_step_height"] is None:
        return "none"
    day = "date unknown" if facts["next_step_at"] is None else f"about {facts['next_step_at'][:10]}"
    return f"{facts['next_step_height']:,} ({day})"


def _marked(one: Chain, what: str) -> str:
    return _UNVERIFIED if what in one.unverified else "verified"


def chain_table(one: Chain, at: datetime) -> Table:
    """One chain, a fact a line."""
    facts = chain_facts(one, at)
    unverified = ", ".join(one.unverified) or "none"
    rows = (
        ("name", one.name),
        ("algorithm", one.algorithm),
        ("block interval", f"{float(one.spacing_seconds):g} s"),
        ("subsidy follows", one.position),
        ("subsidy", f"{facts['subsidy']} at about {facts['height']:,}"),
        ("miner's share of it", facts["miner_subsidy"]),
        ("next step", _next(one, at)),
        ("difficulty rule", f"{one.rule} ({_marked(one, 'difficulty rule')})"),
        ("mined together with", ", ".join(one.merged_with) or "none"),
        (_UNVERIFIED, unverified),
        ("sources", "; ".join(one.sources)),
        ("notes", one.notes or "none"),
    )
    return Table(title=one.coin, columns=(Column("fact"), Column("value")), rows=rows)
