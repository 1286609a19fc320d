"""The judge: every rule a proposal breaks, most serious first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from headframe.instrument import StructureKind
from headframe.mandate.facts import DealerFacts, Facts
from headframe.mandate.policy import (
    ORDER_BOOK,
    CounterpartyRules,
    Mandate,
    RfqRules,
    StandingOrder,
    Unwind,
    is_order_book,
)
from headframe.mandate.rules import Rule

_DUST = 1e-9


class Stage(StrEnum):
    """When a rule is asked: for a proposal, or once more at the moment of asking the street."""

    PROPOSE = "propose"
    ASK = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule broken: what was allowed, what was found, and where; ``blocks`` unless it only warns."""

    rule: Rule
    allowed: str
    found: str
    where: str = ""
    blocks: bool = True

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"{self.rule.clause} {self.rule}{place}: found {self.found}, allowed {self.allowed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the mandate says of a proposal at one stage."""

    stage: Stage
    breaches: tuple[Breach, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing blocks the proposal."""
        return not any(breach.blocks for breach in self.breaches)


def judge(mandate: Mandate, facts: Facts, stage: Stage) -> Verdict:
    """Every rule the facts break, most serious first; none that blocks means it may be approved."""
    found = [
        *_scope(mandate, facts),
        *_cover(mandate, facts),
        *_run_off(mandate, facts),
        *_unwind(mandate, facts),
        *_basis(mandate, facts),
        *_dealers(mandate, facts),
        *_cash(mandate, facts),
        *_request(mandate, facts),
        *_lender(mandate, facts),
    ]
    if stage is Stage.ASK:
        found += [*_calendar(mandate, facts), *_market(mandate, facts)]
    order = list(Rule)
    return Verdict(
        stage=stage, breaches=tuple(sorted(found, key=lambda breach: order.index(breach.rule)))
    )


def _scope(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    scope = mandate.scope
    if not facts.mandate_signed:
        yield Breach(rule=Rule.NOT_SIGNED, allowed="a signed mandate", found="none")
    if not scope.valid_from <= facts.at.date() <= scope.valid_until:
        allowed = f"{scope.valid_from} to {scope.valid_until}"
        yield Breach(rule=Rule.NOT_IN_FORCE, allowed=allowed, found=str(facts.at.date()))
    if facts.structure not in scope.structures and not facts.closes:
        allowed = ", ".join(scope.structures)
        yield Breach(rule=Rule.STRUCTURE_NOT_ALLOWED, allowed=allowed, found=facts.structure)
    if not mandate.may_deal(facts.venue, facts.structure):
        rows = [row.venue for row in mandate.where if facts.structure in row.structures]
        allowed = ", ".join(rows) or "nowhere"
        found = f"{facts.structure} at {facts.venue}"
        yield Breach(rule=Rule.VENUE_NOT_ALLOWED, allowed=allowed, found=found)
    for month in facts.months:
        if month.proposed > 0.0 and month.ahead > scope.horizon_months:
            yield Breach(
                rule=Rule.BEYOND_HORIZON,
                allowed=f"{scope.horizon_months} months",
                found=f"{month.ahead} months",
                where=str(month.month),
            )
    if facts.preparer not in mandate.people.preparers:
        allowed = ", ".join(mandate.people.preparers)
        yield Breach(rule=Rule.NOT_A_PREPARER, allowed=allowed, found=facts.preparer)


def _cover(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    for month in facts.months:
        where = str(month.month)
        band = mandate.cover.band(month.ahead)
        share = month.covered / month.p50 if month.p50 > 0.0 else 0.0
        if band is not None and month.proposed > 0.0 and share > band.ceiling + _DUST:
            yield Breach(
                rule=Rule.ABOVE_CEILING,
                allowed=f"{band.ceiling:.0%} of P50",
                found=f"{share:.1%}",
                where=where,
            )
        if band is not None and month.proposed > 0.0 and share < band.floor - _DUST:
            yield Breach(
                rule=Rule.BELOW_FLOOR,
                allowed=f"at least {band.floor:.0%} of P50",
                found=f"{share:.1%}",
                where=where,
                blocks=False,
            )
        room = mandate.cover.firm_p10_share_max * month.p10_cumulative + facts.free_coins
        if month.firm_cumulative > room + _DUST:
            yield Breach(
                rule=Rule.FIRM_ABOVE_P10,
                allowed=f"{room:.2f} coins (cumulative P10 and free coins)",
                found=f"{month.firm_cumulative:.2f} sold firm",
                where=where,
            )
        if month.puts_only > month.p50 + _DUST:
            yield Breach(
                rule=Rule.PUTS_ABOVE_P50,
                allowed=f"{month.p50:.2f} coins (P50)",
                found=f"{month.puts_only:.2f} coins of puts",
                where=where,
            )


def _run_off(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    """Hedges left over after their coins were sold count against new ones, and never against a close."""
    most = mandate.cover.over_hedged_coins_max
    if not facts.closes and not facts.over_hedged_coins <= most:
        yield Breach(
            rule=Rule.OVER_HEDGED,
            allowed=f"{most:.2f} coins of hedge beyond the coins to sell",
            found=f"{facts.over_hedged_coins:.2f} coins left over",
        )


def unwind_obstacle(mandate: Mandate, facts: Facts) -> tuple[str, str] | None:
    """Return why a hedge cannot be bought back daily, as what is needed and what is found; None if it can.

    A dealer's trade does not net with the order book, and a date that is not listed has none: both are closed
    in blocks. A structure that fixes day by day runs off by itself.
    """
    order = mandate.cover.as_sold
    if facts.structure.on_schedule:
        return None
    if order is None:
        return "a standing order in an order book ([cover.as_sold])", "no standing order"
    return _misplaced(mandate, order, facts) or _undealable_size(order, facts)


def _misplaced(mandate: Mandate, order: StandingOrder, facts: Facts) -> tuple[str, str] | None:
    """Return why a hedge cannot be closed where the standing order deals."""
    if not facts.structure.is_future and not is_order_book(facts.venue):
        hedge = str(facts.structure).replace("_", " ")
        return f"a hedge margined at {order.venue}", f"{hedge} with a dealer"
    if facts.venue.removesuffix(ORDER_BOOK) != order.venue.removesuffix(ORDER_BOOK):
        return f"a hedge at the venue of {order.venue}", f"one at {facts.venue}"
    if not mandate.may_deal(order.venue, facts.structure):
        return f"{facts.structure} in the row of {order.venue}", "no such row of [[where]]"
    return None


def _undealable_size(order: StandingOrder, facts: Facts) -> tuple[str, str] | None:
    """Return why the coins of a day lie outside the standing order's bounds."""
    least, most = facts.daily_coins
    if not order.coins_day_min - _DUST <= least <= most <= order.coins_day_max + _DUST and most:
        size = f"{least:.4f} to {most:.4f} coins a day"
        return f"{order.coins_day_min:g} to {order.coins_day_max:g} coins a day", size
    return None


def _unwind(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    """Refuse a hedge that ``as_sold`` would reduce in sizes or at places where nobody deals."""
    if mandate.cover.unwind is not Unwind.AS_SOLD or facts.closes:
        return
    obstacle = unwind_obstacle(mandate, facts)
    if obstacle is not None:
        allowed, found = obstacle
        yield Breach(rule=Rule.UNWIND_NOT_DEALABLE, allowed=allowed, found=found)


def _lender(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    lender, share = mandate.lender, facts.hedged_share
    if not share <= lender.most_hedged + _DUST:
        allowed = f"{lender.most_hedged:.0%} of P50"
        yield Breach(rule=Rule.LENDER_MOST, allowed=allowed, found=f"{share:.1%}")
    if not share >= lender.least_hedged - _DUST:
        allowed = f"at least {lender.least_hedged:.0%} of P50"
        yield Breach(rule=Rule.LENDER_LEAST, allowed=allowed, found=f"{share:.1%}", blocks=False)
    if lender.structures and facts.structure not in lender.structures and not facts.closes:
        allowed = ", ".join(str(kind) for kind in lender.structures)
        yield Breach(rule=Rule.LENDER_STRUCTURE, allowed=allowed, found=str(facts.structure))


def _basis(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    basis = mandate.basis
    if not facts.tracking_error <= basis.tracking_error_max:
        yield Breach(
            rule=Rule.TRACKING_TOO_LOOSE,
            allowed=f"{basis.tracking_error_max:.1%}",
            found=f"{facts.tracking_error:.1%}",
        )
    if not facts.r2 >= basis.r2_min:
        yield Breach(rule=Rule.R2_TOO_LOW, allowed=f"{basis.r2_min:.2f}", found=f"{facts.r2:.2f}")


def _dealers(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    rules = mandate.counterparties
    for dealer in facts.dealers:
        if not dealer.approved:
            yield Breach(
                rule=Rule.DEALER_NOT_APPROVED,
                allowed="standing approved",
                found="not",
                where=dealer.name,
            )
        if not dealer.line_share <= rules.line_share_max:
            yield Breach(
                rule=Rule.LINE_EXCEEDED,
                allowed=f"{rules.line_share_max:.0%} of line",
                found=f"exposure after this trade {dealer.line_share:.0%} of line",
                where=dealer.name,
            )
        if not dealer.programme_share <= rules.programme_share_max:
            yield Breach(
                rule=Rule.CONCENTRATION,
                allowed=f"{rules.programme_share_max:.0%} of the programme",
                found=f"{dealer.programme_share:.0%} with one group",
                where=dealer.name,
            )
        most = mandate.rfq.last_look_rejections_max
        if not dealer.rejection_share <= most:
            yield Breach(
                rule=Rule.LAST_LOOK_REJECTIONS,
                allowed=f"{most:.0%} of its awards",
                found=f"{dealer.rejection_share:.0%} not honoured",
                where=dealer.name,
            )
        allowed = min(rules.tenor_months_max, dealer.tenor_months)
        if facts.tenor_months > allowed:
            yield Breach(
                rule=Rule.TENOR_TOO_LONG,
                allowed=f"{allowed} months",
                found=f"{facts.tenor_months} months",
                where=dealer.name,
            )
        yield from _limits(rules, dealer)


def _limits(rules: CounterpartyRules, dealer: DealerFacts) -> Iterator[Breach]:
    """What a dealer's sublimits and its group's line say."""
    for one in dealer.sublimits:
        if not one.used_usd <= one.allowed_usd:
            yield Breach(
                rule=Rule.SUBLIMIT_EXCEEDED,
                allowed=f"{one.allowed_usd:,.0f} USD of {one.name}",
                found=f"{one.used_usd:,.0f} USD",
                where=dealer.name,
            )
    most = rules.group_line_usd_max
    if most is not None and not dealer.group_usd <= most:
        yield Breach(
            rule=Rule.GROUP_LINE,
            allowed=f"{most:,.0f} USD with one group",
            found=f"exposure after this trade {dealer.group_usd:,.0f} USD",
            where=dealer.name,
        )


def _cash(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    cash = mandate.cash
    spent = facts.premium_spent_usd + facts.premium_usd
    if not spent <= cash.premium_budget_usd:
        yield Breach(
            rule=Rule.PREMIUM_BUDGET,
            allowed=f"{cash.premium_budget_usd:,.0f} USD",
            found=f"{spent:,.0f} USD",
        )
    most = cash.stress_call_share_max * facts.liquidity_usd
    if not facts.stress_call_usd <= most:
        yield Breach(
            rule=Rule.MARGIN_STRESS,
            allowed=f"{most:,.0f} USD ({cash.stress_call_share_max:.0%} of liquidity)",
            found=f"{facts.stress_call_usd:,.0f} USD called at {cash.stress_up:+.0%}",
        )
    if not facts.initial_margin_usd + facts.premium_usd <= facts.liquidity_usd:
        yield Breach(
            rule=Rule.MARGIN_NOT_FUNDED,
            allowed=f"{facts.liquidity_usd:,.0f} USD",
            found=f"{facts.initial_margin_usd + facts.premium_usd:,.0f} USD",
        )
    tested = facts.structure is StructureKind.COSTLESS_COLLAR and not facts.closes
    if tested and not facts.debit_share <= cash.debit_share_max + _DUST:
        yield Breach(
            rule=Rule.RESIDUAL_DEBIT,
            allowed=f"{cash.debit_share_max:.2%} of the forward",
            found=f"{facts.debit_share:.2%}",
        )


def _request(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    rfq = mandate.rfq
    if not is_order_book(facts.venue) and not facts.closes:
        yield from _block(rfq, facts)
    if facts.live_rfq:
        yield Breach(rule=Rule.RFQ_ALREADY_LIVE, allowed="one at a time", found="another is live")
    if facts.repeated:
        yield Breach(
            rule=Rule.REPEATED_TRADE,
            allowed=f"once in {rfq.repeat_minutes} minutes",
            found="the same structure traded just now",
        )
    if facts.clip_age_minutes is not None and not facts.clip_age_minutes >= rfq.clip_minutes:
        yield Breach(
            rule=Rule.CLIP_TOO_SOON,
            allowed=f"{rfq.clip_minutes} minutes after the last clip",
            found=f"{facts.clip_age_minutes:.1f} minutes",
        )


def _block(rfq: RfqRules, facts: Facts) -> Iterator[Breach]:
    """What holds of blocks: enough dealers, and the venue's least size."""
    if len(facts.dealers) < rfq.dealers_min:
        yield Breach(
            rule=Rule.TOO_FEW_DEALERS, allowed=f"{rfq.dealers_min}", found=f"{len(facts.dealers)}"
        )
    if facts.structure.is_future:
        if facts.notional_usd < rfq.future_block_min_usd:
            yield Breach(
                rule=Rule.BLOCK_TOO_SMALL,
                allowed=f"{rfq.future_block_min_usd:,.0f} USD",
                found=f"{facts.notional_usd:,.0f} USD",
            )
    elif facts.size_coins < rfq.block_min_coins and not facts.structure.on_schedule:
        yield Breach(
            rule=Rule.BLOCK_TOO_SMALL,
            allowed=f"{rfq.block_min_coins:.2f} coins",
            found=f"{facts.size_coins:.2f} coins",
        )


def _calendar(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    asking = mandate.asking
    clock = facts.at.time()
    for window in asking.quiet:
        if window.start <= clock < window.end:
            yield Breach(
                rule=Rule.QUIET_WINDOW,
                allowed=f"outside {window.start:%H:%M}-{window.end:%H:%M} UTC",
                found=f"{clock:%H:%M}",
            )
    for event in asking.macro_events:
        if abs(facts.at - event) <= timedelta(minutes=asking.macro_minutes):
            yield Breach(
                rule=Rule.MACRO_EVENT,
                allowed=f"{asking.macro_minutes} minutes away",
                found=f"news at {event:%Y-%m-%d %H:%M} UTC",
            )
    if not asking.weekends and facts.at.weekday() >= 5:
        yield Breach(rule=Rule.WEEKEND, allowed="Monday to Friday", found=f"{facts.at:%A}")
    for first, last in asking.blackouts:
        if first <= facts.at.date() <= last:
            yield Breach(
                rule=Rule.BLACKOUT, allowed=f"outside {first} to {last}", found=str(facts.at.date())
            )


def _market(mandate: Mandate, facts: Facts) -> Iterator[Breach]:
    asking = mandate.asking
    if not 0.0 <= facts.market_age_minutes <= asking.market_age_minutes_max:
        yield Breach(
            rule=Rule.MARKET_STALE,
            allowed=f"{asking.market_age_minutes_max} minutes",
            found=f"{facts.market_age_minutes:.0f} minutes",
        )
    measured = (
        (Rule.SPREAD_TOO_WIDE, facts.spread_ratio, asking.spread_ratio_max, "{:.2f} x the median"),
        (Rule.SPOT_MOVED, facts.spot_move, asking.spot_move_max, "{:.2%} in ten minutes"),
        (
            Rule.OPEN_INTEREST,
            facts.open_interest_share,
            asking.open_interest_share_max,
            "{:.2%} of the expiry's open interest",
        ),
    )
    for rule, value, most, words in measured:
        if value is None or not abs(value) <= most:
            found = "not measured" if value is None else words.format(value)
            yield Breach(rule=rule, allowed=words.format(most), found=found)
