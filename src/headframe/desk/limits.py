"""Margin, credit and every limit under watch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from headframe.book import Accounts, MarginTerms, Position
from headframe.counterparty import CollateralTerms, Dossier, Standing, objections
from headframe.desk import calls
from headframe.desk.approvals import proposal_of
from headframe.desk.covenants import covenants
from headframe.desk.designations import residuals_of
from headframe.desk.fold_lifecycle import next_close
from headframe.desk.office import Office
from headframe.desk.ports import Declined
from headframe.desk.programme import pledge_of
from headframe.desk.reserving import reserved
from headframe.desk.reviewing import due_now
from headframe.desk.valuation import Valuation, value_now
from headframe.hedge import (
    LIEN,
    RATIO,
    STEP,
    ExposureRow,
    exposure_rows,
    hypothetical,
    planned_coins,
    premium_spent,
)
from headframe.lifecycle import last_close
from headframe.mandate import CounterpartyRules, Mandate, Rule
from headframe.risk import (
    MOVES,
    Exposure,
    FactorSet,
    MarginState,
    Markets,
    PortfolioMargin,
    StressRow,
    Units,
    VenueAccount,
    VenueMargin,
    Watched,
    by_group,
    cash_out_price,
    exposure,
    holdings_of,
    in_force,
    known_model,
    netted,
    netted_book,
    portfolio_margin,
    requirement_of,
    rule_set,
    stress,
    sublimits_used,
    venue_account,
    venue_margin_coins,
    with_orders,
)
from headframe.units import BTC


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginView:
    """Margin today, both tails, and the two prices at which cash or covenant give way."""

    at: datetime
    spot: float
    today: MarginState
    rules: str
    rules_in_force: bool
    stresses: tuple[StressRow, ...]
    cash_out_above: float | None
    covenant_below: float | None
    liquidity_usd: float
    portfolio: PortfolioMargin | None = None
    """What the venue's portfolio margin would ask of the same futures, in coin; None where there are none."""
    portfolio_model: str = ""
    account: VenueAccount | None = None
    """The account at the venue, in coin; None where nothing is held there and nothing ordered."""


def _terms(now: Valuation) -> dict[str, CollateralTerms]:
    return {name: dossier.collateral for name, dossier in now.state.dossiers.items()}


def margin(office: Office) -> MarginView:
    """What is due today and what each move of the price would call within a month."""
    return _margin(value_now(office))


def margin_with(office: Office, proposal: str) -> tuple[str, MarginView]:
    """The dealer of a proposal's panel whose terms ask most, and the same with it dealt as planned.

    Nothing is sent. Declined for a proposal that closes or replaces a trade: it gives margin back.
    """
    now = value_now(office)
    one = proposal_of(now.state, proposal)
    if one.closes or one.replaces:
        raise Declined(f"{proposal} ends {one.closes or one.replaces}: margin comes back with it")
    if now.state.traded(proposal):
        raise Declined(f"{proposal} was dealt already: headframe margin has it in")
    left = one.size - now.state.dealt(proposal)
    one = replace(one, size=left, amount=one.amount * left / one.size)
    views: list[tuple[str, MarginView]] = []
    for dealer in one.panel or ("",):
        held = (*now.positions, hypothetical(one, dealer, now.at))
        views.append(
            (dealer, _margin(replace(now, positions=held, book=netted_book(held, now.book.rules))))
        )
    return max(views, key=lambda view: max(row.margin_usd for row in view[1].stresses))


def _margin(now: Valuation) -> MarginView:
    rules, in_force = rule_set(now.at.date(), now.settings.rule_sets)
    terms = _terms(now)
    today = requirement_of(now.book, terms, now.surface, now.at, now.collateral)
    other, words = _portfolio(now, rules)
    return MarginView(
        at=now.at,
        spot=now.surface.spot,
        today=today,
        rules=rules.name,
        rules_in_force=in_force,
        stresses=tuple(_stress(now, move) for move in MOVES),
        cash_out_above=cash_out_price(
            now.book, terms, now.surface, now.at, now.liquidity, posted=now.collateral
        ),
        covenant_below=pledge_of(now.state, now.settings).price_at(
            now.settings.operation.treasury.loan_to_value_max
        ),
        liquidity_usd=now.liquidity.at(now.surface.spot),
        portfolio=other,
        portfolio_model=words,
        account=_account(now, rules),
    )


def _account(now: Valuation, rules: VenueMargin) -> VenueAccount | None:
    """Return the account at the venue with the requests that are out there counted as open orders.

    What lies there is what the books have posted, at least today's initial margin: a proposal that is only
    asked about brings its own.
    """
    held, orders = _venue_positions(now), _orders(now)
    if not (held or orders or rules.mmp_coins):
        return None
    market = (now.surface, now.at)
    initial = venue_margin_coins(now.book.venue, Units(*market), rules)
    posted = float(now.state.ledger.balance(Accounts.coins_posted(now.settings.venue.name), BTC))
    return venue_account(
        now.book.venue,
        netted((*held, *orders)),
        market,
        rules,
        posted_coins=max(posted, initial),
    )


def _at_venue(now: Valuation) -> Iterator[Watched]:
    """Maintenance margin against what lies at the venue: above it the venue liquidates."""
    rules, _ = rule_set(now.at.date(), now.settings.rule_sets)
    account = _account(now, rules)
    if account is None:
        return
    spot = now.surface.spot
    yield Watched(
        clause="M-5.3", name="maintenance margin at the venue", used=account.maintenance * spot,
        allowed=account.equity * spot, unit="USD",
    )  # fmt: skip
    free = now.liquidity.free_coins
    yield Watched(
        clause="M-5.3", name="initial margin at the venue with open orders", unit="USD",
        used=account.required * spot, allowed=(max(account.equity, account.initial) + free) * spot,
    )  # fmt: skip


def _portfolio(now: Valuation, rules: VenueMargin) -> tuple[PortfolioMargin | None, str]:
    """Portfolio margin of what is held at the venue: by the rules in force, or shown beside them."""
    spot = now.surface.spot
    held = holdings_of(now.book.venue.rows, spot)
    known = known_model(now.settings.operation.coin, now.at.date())
    model = rules.portfolio or (None if known is None else known.model)
    if not held or model is None:
        return None, ""
    filled = holdings_of(netted((*_venue_positions(now), *_orders(now))).rows, spot)
    margin, with_all = (portfolio_margin(o, now.surface, now.at, model) for o in (held, filled))
    words = f"{rules.name}, which is in force here"
    if rules.portfolio is None and known is not None:
        words = f"{known.index}, parameters of {known.known}"
    return with_orders(margin, with_all, rules.market_maker_coins), words


def _venue_positions(now: Valuation) -> list[Position]:
    return [one for one in now.positions if one.trade.margin is MarginTerms.VENUE]


def _orders(now: Valuation) -> list[Position]:
    """Return the live requests that the venue margins, each as if it were filled."""
    live = [
        reserved(now.state, one, now.surface, now.at)
        for one in now.state.live_rfqs()
        if not now.state.proposals[one.proposal].closes
    ]
    return [one for one in live if one.trade.margin is MarginTerms.VENUE]


def _stress(now: Valuation, move: float) -> StressRow:
    return stress(
        move,
        now.book,
        _terms(now),
        now.surface,
        now.at,
        posted=now.collateral,
        liquidity=now.liquidity,
    )


def credit(office: Office) -> tuple[Exposure, ...]:
    """Exposure to every counterparty on record, today and after the mandate's jumps."""
    now = value_now(office)
    return _credit(now, now.dossiers)


def factors(office: Office) -> tuple[FactorSet, bool]:
    """What exposure at default takes coins for today, and whether those figures are in force."""
    return factors_of(value_now(office))


def factors_of(now: Valuation) -> tuple[FactorSet, bool]:
    """The same of a book that is valued already."""
    return in_force(now.at.date(), now.settings.factor_sets)


def _credit(now: Valuation, dossiers: Mapping[str, Dossier]) -> tuple[Exposure, ...]:
    mandate = now.state.mandate
    down = mandate.cash.stress_down if mandate else -0.60
    up = mandate.cash.stress_up if mandate else 0.60
    factors, _ = factors_of(now)
    markets = Markets(now.surface, now.at, (down, up), factors)
    return tuple(
        exposure(
            dossier,
            now.positions,
            markets,
            posted_usd=now.posted(name),
            held_usd=now.held(name),
            in_flight_usd=now.in_flight(name),
            lent_coins=now.state.coins_lent(name),
            pledge=pledge_of(now.state, now.settings),
        )
        for name, dossier in sorted(dossiers.items())
    )


def watch(office: Office) -> tuple[Watched, ...]:
    """Every limit of the mandate, covenant and paper, with its use and status."""
    return watched(value_now(office), office.mandate())


def watched(now: Valuation, mandate: Mandate) -> tuple[Watched, ...]:
    """The same of a book that is valued already: all that a tick of the market asks for."""
    dossiers = now.dossiers
    return (
        *_cover(now, mandate),
        *_run_off(now, mandate),
        *_settlements(now),
        *_cash(now, mandate),
        *_at_venue(now),
        *_counterparties(now, mandate, dossiers),
        *_papers(now, mandate),
        *_lender(now, mandate),
        *calls.watched(now, dossiers),
        *_review(now, mandate),
        *_exceptions(now, mandate),
    )


def _cover(now: Valuation, mandate: Mandate) -> Iterator[Watched]:
    for row in _rows(now, mandate):
        name = str(row.month)
        if row.band is not None:
            yield Watched(
                clause="M-2.1", name=f"{name} cover, least", used=row.share,
                allowed=row.band.floor, unit="of P50", low_is_bad=True,
            )  # fmt: skip
            yield Watched(
                clause="M-2.2", name=f"{name} cover, most", used=row.share,
                allowed=row.band.ceiling, unit="of P50", amber_from=0.95,
            )  # fmt: skip
        yield Watched(
            clause="M-2.3", name=f"{name} sold firm so far", used=row.firm_cumulative,
            allowed=mandate.cover.firm_p10_share_max * row.p10_cumulative
            + now.liquidity.free_coins, unit="coins",
        )  # fmt: skip


def _run_off(now: Valuation, mandate: Mandate) -> Iterator[Watched]:
    """Yield hedges left over after their coins were sold: past the policy's day, and before it."""
    left = residuals_of(now)
    late = sum(float(one.state.residual) for one in left if one.over_hedged)
    early = sum(float(one.state.residual) for one in left if not one.over_hedged)
    yield Watched(
        clause=Rule.OVER_HEDGED.clause, name="over-hedged: hedges left over after their coins were sold",
        used=late, allowed=mandate.cover.over_hedged_coins_max, unit="coins",
    )  # fmt: skip
    for one in left:
        until = f"{one.state.due:%Y-%m-%d}"
        words = "speculative residual" if one.over_hedged else f"to be reduced by {until}"
        yield Watched(
            clause=Rule.OVER_HEDGED.clause,
            name=f"{one.state.trade} {one.state.month}: {words}, owner {one.owner}",
            used=float(one.state.residual), unit="coins",
            allowed=0.0 if one.over_hedged else max(early, float(one.state.residual)),
        )  # fmt: skip


def _settlements(now: Valuation) -> Iterator[Watched]:
    """Yield what has expired and is not settled, with its age; a day later it is a breach."""
    for position in now.outstanding:
        trade = position.trade
        yield Watched(
            clause="I14", name=f"{trade.id} expired {trade.expiry:%Y-%m-%d}, settlement outstanding",
            used=max((now.at - trade.expiry).total_seconds() / 86_400.0, 0.01), allowed=1.0, unit="days",
            amber_from=0.0001,
        )  # fmt: skip
    first = next_close(now.state)
    due = 0 if first is None or not now.dealt else (last_close(now.at) - first).days + 1
    yield Watched(
        clause="I14", name="days not closed", used=float(max(due, 0)), allowed=1.0, unit="days",
    )  # fmt: skip


def _cash(now: Valuation, mandate: Mandate) -> Iterator[Watched]:
    cash = mandate.cash
    today = requirement_of(now.book, _terms(now), now.surface, now.at, now.collateral)
    yield Watched(
        clause="M-5.1", name="premium spent", used=premium_spent(tuple(now.state.booked().values())),
        allowed=cash.premium_budget_usd, unit="USD",
    )  # fmt: skip
    up = _stress(now, cash.stress_up)
    yield Watched(
        clause="M-5.2", name=f"call at {cash.stress_up:+.0%} in a month", used=max(up.call_usd, 0.0),
        allowed=cash.stress_call_share_max * up.liquidity_usd, unit="USD",
    )  # fmt: skip
    yield Watched(
        clause="M-5.3", name="margin due today", used=today.total_usd,
        allowed=now.liquidity.at(now.surface.spot) + today.posted_usd, unit="USD",
    )  # fmt: skip


def _counterparties(
    now: Valuation, mandate: Mandate, dossiers: Mapping[str, Dossier]
) -> Iterator[Watched]:
    rules = mandate.counterparties
    exposures = _credit(now, dossiers)
    for one in exposures:
        yield Watched(
            clause="M-4.2", name=f"{one.dealer} exposure of line", used=one.line_share,
            allowed=rules.line_share_max, unit="of line",
        )  # fmt: skip
    yield from _sublimits(now, dossiers, exposures, mandate.counterparties)
    hedged = sum(float(p.coins) for p in now.positions)
    coins: dict[str, float] = {}
    for position in now.positions:
        if position.trade.margin is MarginTerms.BILATERAL:
            group = now.state.dossiers[position.trade.dealer].group
            coins[group] = coins.get(group, 0.0) + float(position.coins)
    planned = max(hedged, planned_coins(_rows(now, mandate)))
    for group in sorted(by_group(exposures)):
        yield Watched(
            clause="M-4.3", name=f"{group} share of programme",
            used=coins.get(group, 0.0) / planned if planned else 0.0,
            allowed=rules.programme_share_max, unit="of programme",
        )  # fmt: skip


def _sublimits(
    now: Valuation,
    dossiers: Mapping[str, Dossier],
    exposures: tuple[Exposure, ...],
    rules: CounterpartyRules,
) -> Iterator[Watched]:
    """Sublimits of the dossiers, and the most with one group where the mandate says so."""
    for name, dossier in sorted(dossiers.items()):
        for limit, used in sublimits_used(dossier, now.positions, now.surface.spot, now.at):
            yield Watched(
                clause="M-4.5", name=f"{name}: {limit}", used=used, allowed=limit.notional_usd,
                unit="USD",
            )  # fmt: skip
    if rules.group_line_usd_max is not None:
        for group, used in sorted(by_group(exposures).items()):
            yield Watched(
                clause="M-4.6", name=f"{group} exposure of the group", used=used,
                allowed=rules.group_line_usd_max, unit="USD",
            )  # fmt: skip


def _rows(now: Valuation, mandate: Mandate) -> tuple[ExposureRow, ...]:
    """The months ahead against their bands; none without a forecast."""
    if now.state.forecast is None:
        return ()
    return exposure_rows(now.state.forecast, mandate.cover, now.positions, now.at)


def _papers(now: Valuation, mandate: Mandate) -> Iterator[Watched]:
    """Of each approved counterparty: objections, the next paper to expire, the last review, adverse news."""
    least, on = mandate.counterparties.points_min, now.at.date()
    for name, dossier in sorted(now.state.dossiers.items()):
        if now.state.standing[name] is not Standing.APPROVED:
            continue
        yield Watched(
            clause="M-4.1", name=f"{name} objections to its papers",
            used=float(len(objections(dossier, on, points_min=least, grid=now.state.grid))),
            allowed=0.0, unit="objections",
        )  # fmt: skip
        ends = [day for day, _ in dossier.ends if day > on]
        if ends:
            yield Watched(
                clause="M-4.1", name=f"{name} next paper to expire", unit="of its last 30 days",
                used=max(30.0 - (min(ends) - on).days, 0.0) / 30.0, allowed=1.0, amber_from=0.0001,
            )  # fmt: skip
        approved = [
            step["at"] for step in now.state.steps
            if step["name"] == name and step["standing"] == Standing.APPROVED
        ]  # fmt: skip
        if approved:
            yield Watched(
                clause="M-4.1", name=f"{name} days since its review", unit="days", amber_from=0.9,
                used=float((now.at - approved[-1]).days), allowed=365.0,
            )  # fmt: skip
        adverse = sum(1 for one in now.state.notes if one.name == name and one.open)
        yield Watched(
            clause="M-4.1", name=f"{name} adverse news without an answer", unit="notes",
            used=float(adverse), allowed=float(max(adverse, 1)),
        )  # fmt: skip


def _lender(now: Valuation, mandate: Mandate) -> Iterator[Watched]:
    least = {Rule.LENDER_LEAST.clause, LIEN}
    for one in covenants(now, mandate):
        yield Watched(
            clause=one.clause, name=one.name, used=one.used, allowed=one.allowed, unit=_UNITS[one.clause],
            low_is_bad=one.clause in least,
        )  # fmt: skip


_UNITS = {
    Rule.LENDER_LEAST.clause: "of P50",
    Rule.LENDER_MOST.clause: "of P50",
    Rule.LENDER_STRUCTURE.clause: "trades",
    RATIO: "of collateral",
    STEP: "of collateral",
    LIEN: "coins",
}


def _review(now: Valuation, mandate: Mandate) -> Iterator[Watched]:
    """A review that is due: nothing is added until it is held."""
    found = len(due_now(now, mandate, "").triggers)
    yield Watched(
        clause="M-12", name="reasons to review the programme", used=float(found),
        allowed=float(max(found, 1)), unit="reasons",
    )  # fmt: skip


def _exceptions(now: Valuation, mandate: Mandate) -> Iterator[Watched]:
    market = now.state.market
    if market is not None:
        yield Watched(
            clause="M-7.1", name="age of the market", unit="minutes",
            used=max((now.at - market.as_of).total_seconds() / 60.0, 0.0),
            allowed=float(mandate.asking.market_age_minutes_max),
        )  # fmt: skip
    yield Watched(
        clause="I2", name="requests without a known end", used=float(len(now.state.live_rfqs())),
        allowed=0.0, unit="requests",
    )  # fmt: skip
    yield Watched(
        clause="I16", name="accounts out of balance or overdrawn", unit="accounts",
        used=float(len(now.state.ledger.imbalance()) + len(now.state.ledger.overdrawn())),
        allowed=0.0,
    )  # fmt: skip
    yield Watched(
        clause="I16", name="breaks against statements", used=float(len(now.state.breaks)),
        allowed=0.0, unit="balances",
    )  # fmt: skip
    differing = [one for one in now.state.confirmed.values() if one.differences]
    contracts = sum(bool(one.differences) for one in now.state.contracts.values())
    yield Watched(
        clause="I16", name="confirmations that differ or name no trade of ours", unit="trades",
        used=float(len(differing) + contracts + len(now.state.strangers)), allowed=0.0,
    )  # fmt: skip
    yield Watched(
        clause="cash", name="payments that could not be found",
        used=float(len(now.state.shortfalls)), allowed=0.0, unit="days",
    )  # fmt: skip
