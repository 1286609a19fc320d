"""Rating: every block's hedges with their figures, their panel of dealers and their verdict."""

from dataclasses import dataclass, replace
from datetime import timedelta

from headframe.book import MarginTerms, Position
from headframe.hedge.candidates import Candidate, candidates, hypothetical
from headframe.hedge.choose import cost_usd, score
from headframe.hedge.exposure import Bucket, buckets
from headframe.hedge.facts import facts_of
from headframe.hedge.situation import Situation
from headframe.instrument import StructureKind
from headframe.mandate import DealerFacts, Facts, Stage, Verdict, judge
from headframe.risk import exposure, requirement
from headframe.units import year_fraction

_STRESS_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A candidate with the figures its verdict was passed on."""

    candidate: Candidate
    facts: Facts
    verdict: Verdict
    panel: tuple[str, ...]
    left_out: tuple[str, ...]
    cost_usd: float
    score_usd: float


def compare(found: Situation) -> tuple[tuple[Bucket, tuple[Rated, ...]], ...]:
    """Every block's hedges with figures and verdicts.

    Margin under stress is judged for the programme: as if every open block took the same kind of
    hedge, because they are proposed together.
    """
    built = [(bucket, candidates(found.street, bucket)) for bucket in buckets(found.rows, found.snapshot)]
    together = _programme_calls(found, [one for _, some in built for one in some])
    return tuple(
        (bucket, tuple(_rate(found, one, together[_family(one)]) for one in some))
        for bucket, some in built
    )


def _family(candidate: Candidate) -> str:
    linear = {StructureKind.SHORT_FUTURE, StructureKind.FORWARD}
    return "linear" if candidate.kind in linear else str(candidate.kind)


def _programme_calls(found: Situation, all_candidates: list[Candidate]) -> dict[str, float]:
    """Calls of a stress rally by kind of hedge, all blocks together, with what is on already."""
    sums: dict[str, float] = {}
    before = stress_call(found, ())
    for one in all_candidates:
        family = _family(one)
        sums[family] = sums.get(family, before) + block_call(found, one)
    return sums


def stress_call(found: Situation, extra: tuple[Position, ...]) -> float:
    """What a stress rally within a month would call, beyond what is posted today."""
    ratio = 1.0 + found.mandate.cash.stress_up
    later = found.at + _STRESS_AFTER
    moved = found.surface.at_spot(found.surface.spot * ratio, later)
    positions = (*found.positions, *extra)
    then = requirement(positions, found.terms, moved, later).total_usd
    today = requirement(found.positions, found.terms, found.surface, found.at)
    return max(then - today.initial_usd - today.collateral_usd, 0.0)


def block_call(found: Situation, candidate: Candidate) -> float:
    """What one block would call in a stress rally, with the dealer whose terms ask most."""
    dealers = found.approved or tuple(found.dossiers)
    before = stress_call(found, ())
    calls = [
        stress_call(found, (hypothetical(candidate, dealer, found.at),)) - before
        for dealer in dealers
    ]
    return max(calls, default=0.0)


def _rate(found: Situation, candidate: Candidate, stress_usd: float) -> Rated:
    initial = initial_margin(found, candidate)
    years = year_fraction(found.at, candidate.bucket.expiry)
    cost = cost_usd(candidate, initial, found.street.fees.financing_rate, years)
    dealers = _dealers(found, candidate)
    facts = facts_of(found, candidate, initial, stress_usd)
    panel, left_out = _panel(found, facts, dealers)
    facts = replace(facts, dealers=panel)
    return Rated(
        candidate=candidate,
        facts=facts,
        verdict=judge(found.mandate, facts, Stage.PROPOSE),
        panel=tuple(dealer.name for dealer in panel),
        left_out=left_out,
        cost_usd=cost,
        score_usd=score(candidate, cost, block_call(found, candidate), found.mandate.choice),
    )


def initial_margin(found: Situation, candidate: Candidate) -> float:
    dealers = found.approved or tuple(found.dossiers)
    before = requirement(found.positions, found.terms, found.surface, found.at)
    worst = 0.0
    for dealer in dealers:
        extra = (*found.positions, hypothetical(candidate, dealer, found.at))
        after = requirement(extra, found.terms, found.surface, found.at)
        worst = max(
            worst,
            after.initial_usd + after.collateral_usd - before.initial_usd - before.collateral_usd,
        )
    return worst


def _panel(
    found: Situation, facts: Facts, dealers: tuple[DealerFacts, ...]
) -> tuple[tuple[DealerFacts, ...], tuple[str, ...]]:
    """Dealers the mandate lets us ask, and why the others are left out."""
    kept: list[DealerFacts] = []
    left_out: list[str] = []
    names = {dealer.name for dealer in dealers}
    for dealer in dealers:
        alone = judge(found.mandate, replace(facts, dealers=(dealer,)), Stage.PROPOSE)
        against = [b for b in alone.breaches if b.where in names and b.blocks]
        if against:
            left_out.append(f"{dealer.name}: {against[0]}")
        else:
            kept.append(dealer)
    return tuple(kept), tuple(left_out)


def _dealers(found: Situation, candidate: Candidate) -> tuple[DealerFacts, ...]:
    rows: list[DealerFacts] = []
    for name in found.approved:
        dossier = found.dossiers[name]
        if candidate.kind not in dossier.credit.products:
            continue
        extra = hypothetical(candidate, name, found.at)
        one = exposure(
            dossier,
            (*found.positions, extra),
            found.surface,
            found.at,
            posted_usd=found.posted.get(name, 0.0),
            held_usd=found.held.get(name, 0.0),
            jump_down=found.mandate.cash.stress_down,
            jump_up=found.mandate.cash.stress_up,
        )
        rows.append(
            DealerFacts(
                name=name,
                approved=True,
                line_share=one.line_share,
                programme_share=_share(found, dossier.group, candidate),
                tenor_months=dossier.credit.tenor_months,
            )
        )
    return tuple(rows)


def _share(found: Situation, group: str, candidate: Candidate) -> float:
    """Notional with one group, this block in, over the planned programme; venue margin counts to none."""
    mine = sum(
        float(position.coins) * found.snapshot.index
        for position in found.positions
        if position.trade.margin is MarginTerms.BILATERAL
        and found.dossiers[position.trade.dealer].group == group
    )
    fresh = float(candidate.size) * found.snapshot.index
    if candidate.kind is StructureKind.SHORT_FUTURE:
        fresh = 0.0
    return (mine + fresh) / found.programme_usd if found.programme_usd > 0.0 else 1.0


def rate_again(found: Situation, bucket: Bucket, kind: StructureKind) -> Rated | None:
    """One block's hedge of a kind, priced and judged on the market now, alone on top of what is on."""
    one = next((row for row in candidates(found.street, bucket) if row.kind is kind), None)
    if one is None:
        return None
    return _rate(found, one, stress_call(found, ()) + block_call(found, one))
