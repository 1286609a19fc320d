"""Rating: every block's hedges with their figures, their panel of dealers and their verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from headframe.book import MarginTerms, Position
from headframe.hedge.candidates import Candidate, candidates, hypothetical
from headframe.hedge.choose import cost_usd, score
from headframe.hedge.exposure import Bucket, buckets
from headframe.hedge.facts import facts_of
from headframe.hedge.situation import Situation
from headframe.instrument import StructureKind
from headframe.mandate import (
    ORDER_BOOK,
    DealerFacts,
    Facts,
    Rule,
    Stage,
    SublimitFacts,
    Verdict,
    judge,
)
from headframe.risk import (
    Exposure,
    MarginState,
    Markets,
    by_group,
    exposure,
    netted_book,
    requirement,
    stress,
    sublimits_used,
)
from headframe.units import year_fraction


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
    hedge, spread over the dealers as lightly as their terms allow, because they come together.
    """
    built = [
        (bucket, candidates(found.street, bucket)) for bucket in buckets(found.rows, found.snapshot)
    ]
    everything = [one for _, some in built for one in some]
    return tuple(
        (
            bucket,
            tuple(_rate(_placed(found, one), one, _others(found, one, everything)) for one in some),
        )
        for bucket, some in built
    )


def _placed(found: Situation, candidate: Candidate) -> Situation:
    """Where a hedge would be dealt: listed ones too small for a block in the order book, where allowed."""
    book, rfq = found.venue + ORDER_BOOK, found.mandate.rfq
    small = float(candidate.size) < rfq.block_min_coins
    if candidate.kind.is_future:
        small = candidate.notional_usd < rfq.future_block_min_usd
    listed = candidate.bucket.listed
    if listed and small and found.mandate.may_deal(book, candidate.kind):
        return replace(found, venue=book)
    return found


def _others(
    found: Situation, candidate: Candidate, everything: list[Candidate]
) -> tuple[Position, ...]:
    """The other blocks in the same kind of hedge, each with the dealer whose call grows least."""
    placed: tuple[Position, ...] = ()
    for one in everything:
        if one.needs is candidate.needs or _family(one) != _family(candidate):
            continue
        tried: list[tuple[Position, ...]] = [
            (*placed, hypothetical(one, dealer, found.at)) for dealer in found.dealers
        ]
        placed = min(tried, key=lambda positions: stress_call(found, positions))
    return placed


def _family(candidate: Candidate) -> str:
    linear = {StructureKind.SHORT_FUTURE, StructureKind.FORWARD}
    return "linear" if candidate.kind in linear else str(candidate.kind)


def stress_call(found: Situation, extra: tuple[Position, ...]) -> float:
    """What a stress rally within a month would call, beyond what is posted today."""
    row = stress(
        found.mandate.cash.stress_up,
        netted_book((*found.positions, *extra), found.rule_sets),
        found.terms,
        found.surface,
        found.at,
        posted=found.collateral,
        liquidity=found.liquidity,
    )
    today = _required(found, found.positions).posted_usd
    with_extra = _required(found, (*found.positions, *extra)).posted_usd
    return max(row.call_usd + with_extra - today, 0.0)


def _required(found: Situation, positions: tuple[Position, ...]) -> MarginState:
    """Margin of positions today, beside the collateral that lies with the dealers already."""
    return requirement(
        positions,
        found.terms,
        found.surface,
        found.at,
        found.rule_sets,
        posted=found.collateral,
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """A hedge as it would be with a dealer: its kind, its coins, its position with each."""

    kind: StructureKind
    size: Decimal
    position: Callable[[str], Position]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A hedge's facts with its panel and margin in, and why the other dealers are left out."""

    facts: Facts
    panel: tuple[str, ...]
    left_out: tuple[str, ...]


def place(
    found: Situation, placed: Placed, plain: Facts, others: tuple[Position, ...] = ()
) -> Placement:
    """Whom the mandate lets us ask for a hedge, what it would call and post at worst with one of them."""
    dealers = _dealers(found, placed)
    panel, left_out = _panel(found, placed, plain, dealers, others)
    names = (found.venue,) if found.by_book else tuple(dealer.name for dealer in panel)
    call = _call(found, placed, others, names)
    initial = _initial_margin(found, placed, names)
    facts = replace(plain, dealers=panel, initial_margin_usd=initial, stress_call_usd=call)
    return Placement(facts=facts, panel=names, left_out=left_out)


def _call(
    found: Situation, placed: Placed, others: tuple[Position, ...], dealers: tuple[str, ...]
) -> float:
    """The programme's stress call with this block at the dealer whose terms ask most."""
    return max(
        stress_call(found, (*others, placed.position(dealer)))
        for dealer in dealers or found.dealers
    )


def _rate(found: Situation, candidate: Candidate, others: tuple[Position, ...]) -> Rated:
    """Figures, panel and verdict of a hedge among the programme's other blocks."""
    placed = Placed(
        candidate.kind, candidate.size, lambda dealer: hypothetical(candidate, dealer, found.at)
    )
    made = place(found, placed, facts_of(found, candidate, 0.0, 0.0), others)
    years = year_fraction(found.at, candidate.bucket.ends)
    cost = cost_usd(
        candidate, made.facts.initial_margin_usd, found.street.fees.financing_rate, years
    )
    added = made.facts.stress_call_usd - stress_call(found, others)
    return Rated(
        candidate=candidate,
        facts=made.facts,
        verdict=judge(found.mandate, made.facts, Stage.PROPOSE),
        panel=made.panel,
        left_out=made.left_out,
        cost_usd=cost,
        score_usd=score(candidate, cost, added, found.mandate.choice),
    )


def _initial_margin(found: Situation, placed: Placed, dealers: tuple[str, ...]) -> float:
    """What is posted at once, with the dealer whose terms ask most."""
    held = _required(found, found.positions).posted_usd
    worst = 0.0
    for dealer in dealers or found.dealers:
        after = _required(found, (*found.positions, placed.position(dealer)))
        worst = max(worst, after.posted_usd - held)
    return worst


def _panel(
    found: Situation,
    placed: Placed,
    facts: Facts,
    dealers: tuple[DealerFacts, ...],
    others: tuple[Position, ...],
) -> tuple[tuple[DealerFacts, ...], tuple[str, ...]]:
    """Dealers the mandate lets us ask, and why the others are left out.

    A dealer with whom the stress call would be too large is left out too, unless that holds for
    all of them: then the hedge itself is what the mandate refuses.
    """
    lawful: list[DealerFacts] = []
    light: list[DealerFacts] = []
    left_out: list[str] = []
    heavy: list[str] = []
    names = {dealer.name for dealer in dealers}
    for dealer in dealers:
        call = _call(found, placed, others, (dealer.name,))
        with_it = replace(facts, dealers=(dealer,), stress_call_usd=call)
        against = judge(found.mandate, with_it, Stage.PROPOSE).breaches
        own = [b for b in against if b.where in names and b.blocks]
        stress = [b for b in against if b.rule is Rule.MARGIN_STRESS]
        if own:
            left_out.append(f"{dealer.name}: {own[0]}")
            continue
        lawful.append(dealer)
        if stress:
            heavy.append(f"{dealer.name}: {stress[0]}")
        else:
            light.append(dealer)
    if not light:
        return tuple(lawful), tuple(left_out)
    return tuple(light), (*left_out, *heavy)


def _dealers(found: Situation, placed: Placed) -> tuple[DealerFacts, ...]:
    rows: list[DealerFacts] = []
    jumps = (found.mandate.cash.stress_down, found.mandate.cash.stress_up)
    markets = Markets(found.surface, found.at, jumps)
    grouped = found.mandate.counterparties.group_line_usd_max is not None
    before = {
        name: _exposed(found, name, found.positions_with(name), markets)
        for name in (found.dossiers if grouped else ())
    }
    for name in () if found.by_book else found.approved:
        dossier = found.dossiers[name]
        if placed.kind not in dossier.credit.products:
            continue
        with_it = (*found.positions_with(name), placed.position(name))
        one = _exposed(found, name, with_it, markets)
        rows.append(
            DealerFacts(
                name=name,
                approved=True,
                line_share=one.line_share,
                programme_share=_share(found, name, placed),
                tenor_months=dossier.credit.tenor_months,
                rejection_share=found.rejections.get(name, 0.0),
                group_usd=by_group(tuple((before | {name: one}).values()))[dossier.group],
                sublimits=tuple(
                    SublimitFacts(name=str(limit), used_usd=used, allowed_usd=limit.notional_usd)
                    for limit, used in sublimits_used(
                        dossier, with_it, found.snapshot.index, found.at
                    )
                ),
            )
        )
    return tuple(rows)


def _exposed(
    found: Situation, name: str, positions: tuple[Position, ...], markets: Markets
) -> Exposure:
    return exposure(
        found.dossiers[name],
        positions,
        markets,
        posted_usd=found.posted.get(name, 0.0),
        held_usd=found.held.get(name, 0.0),
        pledge=found.pledge,
        in_flight_usd=found.in_flight.get(name, 0.0),
        lent_coins=found.lent.get(name, 0.0),
    )


def _share(found: Situation, dealer: str, placed: Placed) -> float:
    """Notional with a dealer's group, this block in, over the planned programme; venue margin is nobody's."""
    group = found.dossiers[dealer].group
    mine = sum(
        float(position.coins) * found.snapshot.index
        for position in found.positions_with(dealer)
        if position.trade.margin is MarginTerms.BILATERAL
        and found.dossiers[position.trade.dealer].group == group
    )
    fresh = float(placed.size) * found.snapshot.index
    if placed.kind.is_future:
        fresh = 0.0
    return (mine + fresh) / found.programme_usd if found.programme_usd > 0.0 else 1.0


def rate_again(found: Situation, bucket: Bucket, kind: StructureKind) -> Rated | None:
    """One block's hedge of a kind, priced and judged on the market now, alone on top of what is on."""
    one = next((row for row in candidates(found.street, bucket) if row.kind is kind), None)
    if one is None:
        return None
    return _rate(found, one, ())
