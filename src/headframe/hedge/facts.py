"""The flat record a verdict is passed on, computed from a situation and a candidate."""

from collections.abc import Mapping
from datetime import timedelta

from headframe.book import Trade
from headframe.hedge.candidates import Candidate
from headframe.hedge.exposure import ExposureRow, hedged_share
from headframe.hedge.situation import Situation
from headframe.hedge.unwind_costs import daily_coins
from headframe.instrument import StructureKind
from headframe.mandate import Facts, MonthFacts
from headframe.market import Snapshot
from headframe.units import Month, months_to


def facts_of(
    found: Situation, candidate: Candidate, initial_usd: float, stress_usd: float
) -> Facts:
    """The record the mandate judges; dealers are filled in when the panel is known."""
    snapshot = found.snapshot
    spot_up = snapshot.index * (1.0 + found.mandate.cash.stress_up)
    premium = max(candidate.upfront_usd, 0.0) * float(candidate.size)
    return Facts(
        at=found.at,
        mandate_signed=bool(found.mandate_sha256),
        preparer=found.preparer,
        structure=candidate.kind,
        venue=found.venue,
        months=month_facts(
            found.rows, _fresh(candidate), firm=candidate.kind is not StructureKind.PROTECTIVE_PUT
        ),
        free_coins=found.liquidity.free_coins,
        hedged_share=hedged_share(found.rows, float(candidate.size)),
        size_coins=float(candidate.size),
        notional_usd=candidate.notional_usd,
        tracking_error=candidate.basis.tracking_error,
        r2=candidate.basis.r2,
        tenor_months=months_to(found.at, candidate.bucket.ends),
        dealers=(),
        premium_usd=premium,
        premium_spent_usd=premium_spent(found.trades),
        debit_share=candidate.debit_share,
        initial_margin_usd=initial_usd,
        stress_call_usd=stress_usd,
        liquidity_usd=found.liquidity.at(spot_up),
        live_rfq=candidate.structure in found.live,
        repeated=_repeated(found, candidate),
        market_age_minutes=(found.at - snapshot.as_of).total_seconds() / 60.0,
        spread_ratio=spread_ratio(found),
        spot_move=snapshot.spot_move_10m,
        open_interest_share=_interest_share(snapshot, candidate),
        clip_age_minutes=clip_age(found),
        over_hedged_coins=found.over_hedged_coins,
        daily_coins=daily_coins(found.street, candidate),
    )


def clip_age(found: Situation) -> float | None:
    """Minutes since a clip of the proposal being dealt was dealt."""
    last = found.last_clip
    return None if last is None else (found.at - last).total_seconds() / 60.0


def _fresh(candidate: Candidate) -> dict[Month, float]:
    """The block's coins shared out to months by need."""
    needs = dict(candidate.bucket.needs)
    total = sum(needs.values())
    return {month: float(candidate.size) * need / total for month, need in needs.items()}


def month_facts(
    rows_ahead: tuple[ExposureRow, ...], coins: Mapping[Month, float], *, firm: bool
) -> tuple[MonthFacts, ...]:
    """Months with so many coins of each more hedged, firm coins running on."""
    running = 0.0
    rows: list[MonthFacts] = []
    for row in rows_ahead:
        fresh = coins.get(row.month, 0.0)
        running += fresh if firm else 0.0
        if row.month in coins or (firm and running > 0.0):
            rows.append(
                MonthFacts(
                    month=row.month,
                    ahead=row.ahead,
                    p50=row.p50,
                    p10_cumulative=row.p10_cumulative,
                    proposed=fresh,
                    covered=row.covered + fresh,
                    firm_cumulative=row.firm_cumulative + running,
                    puts_only=row.puts_only + (0.0 if firm else fresh),
                )
            )
    return tuple(rows)


def premium_spent(trades: tuple[Trade, ...]) -> float:
    """Premium paid so far in USD: net debits of options at the spot of their trade."""
    return sum(
        max(float(trade.net_price), 0.0)
        * float(trade.size)
        * (float(trade.spot) if trade.price_currency != "USD" else 1.0)
        for trade in trades
        if trade.legs[0].instrument.is_option
    )


def _repeated(found: Situation, candidate: Candidate) -> bool:
    """Whether the same side, expiry and size was dealt just now."""
    window = timedelta(minutes=found.mandate.rfq.repeat_minutes)
    return any(
        trade.proposal != found.proposal
        and trade.structure is candidate.kind
        and trade.expiry == candidate.bucket.expiry
        and trade.size == candidate.size
        and found.at - trade.at < window
        for trade in found.trades
    )


def spread_ratio(found: Situation) -> float | None:
    """Bid-ask now over its 20-day median; None where the market has no quotes to measure."""
    now = found.snapshot.spread
    return None if now is None else now / found.spread_median


def _interest_share(snapshot: Snapshot, candidate: Candidate) -> float | None:
    """Size over the open interest of the expiry; zero for over-the-counter dates, which have none."""
    if not candidate.bucket.listed:
        return 0.0
    quote = snapshot.forward(candidate.bucket.expiry)
    if quote is None or not quote.open_interest:
        return None
    return float(candidate.size) / quote.open_interest
