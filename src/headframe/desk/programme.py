"""The plan: exposure against the mandate, the hedges of each block compared, the best one proposed."""

from dataclasses import dataclass, replace

from headframe.book import (
    CASH,
    COINS_FREE,
    COINS_PLEDGED,
    CREDIT_LINE,
    LOAN,
    others_usd,
    under_way,
)
from headframe.codec import Settings, VenueSettings, canonical, sha256, to_json
from headframe.counterparty import Standing
from headframe.desk import production, quotes, users
from headframe.desk.known import Version
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft, NotFound, Stale
from headframe.desk.reserving import reserved, reserved_id
from headframe.desk.run_off import month_so_far_of, over_hedged
from headframe.desk.state import State
from headframe.hedge import (
    Bucket,
    FeeSchedule,
    Proposal,
    Rated,
    Situation,
    Street,
    UnwindCost,
    best,
    compare,
    envelope_of,
    exposure_rows,
    proposal_of,
    unwind_costs,
)
from headframe.instrument import StructureKind
from headframe.lifecycle import CurrentMonth
from headframe.mandate import Mandate
from headframe.market import Flaw
from headframe.risk import DealingCosts, Liquidity, Pledge
from headframe.units import BTC, USD, Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Exposure, the comparison for each block, and what was proposed."""

    situation: Situation
    version: Version
    blocks: tuple[tuple[Bucket, tuple[Rated, ...]], ...]
    proposals: tuple[Proposal, ...]
    current: CurrentMonth
    """The month that has begun: it is hedged already, or not."""
    unwinds: tuple[tuple[Rated, tuple[UnwindCost, ...]], ...] = ()
    """The hedge proposed of each block, else its first, under every policy of reducing it."""


def liquidity_of(state: State, settings: Settings) -> Liquidity:
    """What can meet a call today: dollars that are there, other currencies less their haircut, coins."""
    ledger, bank = state.ledger, settings.bank
    drawn = -float(ledger.balance(CREDIT_LINE, USD))
    cash = float(ledger.balance(CASH, USD))
    if state.clock is not None:
        cash -= float(under_way(state.transit, state.clock.date()))
        # what is owed counts from the trade, what is to come only once it is there
        cash += float(ledger.total("liabilities:payable:", USD))
        cash += float(ledger.total("liabilities:interest:", USD))
        last = {code: rates[-1] for code, rates in state.fx.items()}
        cash += others_usd(ledger, last, state.clock, bank)
    return Liquidity(
        cash_usd=cash,
        undrawn_usd=settings.operation.treasury.credit_line_usd - drawn,
        free_coins=float(
            ledger.balance(COINS_FREE, BTC) + ledger.total("liabilities:payable:", BTC)
        ),
    )


def pledge_of(state: State, settings: Settings) -> Pledge:
    """The coins the lender's group holds against the loan, as the books have both."""
    coins = float(state.ledger.balance(COINS_PLEDGED, BTC))
    loan = -float(state.ledger.balance(LOAN, USD))
    return Pledge(settings.operation.treasury.lender_group, coins, loan)


def fee_schedule(venue: VenueSettings) -> FeeSchedule:
    """The venue's fees as the plan uses them."""
    return FeeSchedule(
        option_coins=venue.option_fee_coins,
        option_cap_share=venue.option_fee_cap_share,
        future_share=venue.future_fee_share,
        forward_spread=venue.forward_spread,
        financing_rate=venue.financing_rate,
    )


def fresh(office: Office) -> quotes.MarketView:
    """The market, or Stale where it is too old or from the future."""
    seen = quotes.show(office)
    stale = [f for f in seen.findings if f.flaw in {Flaw.STALE, Flaw.FUTURE_DATED}]
    if stale:
        raise Stale(f"M-7.1 market_stale: the market is {stale[0].detail}; import a fresh one")
    return seen


def situation(
    office: Office,
    person: str,
    *,
    but: str | None = None,
    venue: str | None = None,
    proposal: str | None = None,
) -> tuple[Situation, Version]:
    """Gather: mandate in force, fresh market, forecast, positions, liquidity, dealers.

    ``but`` is a live request that is left out of those that are being asked; ``venue`` another one
    than the settings name; ``proposal`` the one that is being dealt.
    """
    mandate = office.mandate()
    seen = fresh(office)
    version = production.in_force(office)
    state = office.state()
    at = office.now()
    settings = office.settings()
    live = [r for r in state.live_rfqs() if r.request.id != but]
    opening = [one for one in live if not state.proposals[one.proposal].closes]
    positions = (
        *state.live_positions(at),
        *state.contract_positions(seen.surface, at),
        *(reserved(state, one, seen.surface, at) for one in opening),
    )
    names = sorted(state.dossiers)
    found = Situation(
        at=at,
        mandate=mandate,
        mandate_sha256=state.mandate_sha256,
        forecast_id=version.id,
        forecast_sha256=version.sha256,
        venue=venue or settings.venue.name,
        street=_street(mandate, settings, seen, state),
        rows=exposure_rows(version.forecast, mandate.cover, positions, at),
        positions=positions,
        trades=tuple(state.booked().values()),
        dossiers=state.graded(at.date()),
        approved=tuple(name for name in names if state.standing[name] is Standing.APPROVED),
        posted={n: state.posted_usd(n, seen.snapshot.index) for n in names},
        held={n: state.held_usd(n) for n in names},
        collateral=state.collateral_posted(),
        in_flight={n: float(under_way(state.transit, at.date(), n)) for n in names},
        lent={n: state.coins_lent(n) for n in names},
        live=tuple(one.request.structure for one in live),
        liquidity=liquidity_of(state, settings),
        over_hedged_coins=over_hedged(state, settings, at),
        pledge=pledge_of(state, settings),
        spread_median=settings.venue.spread_median,
        preparer=person,
        proposal=proposal,
        last_clip=None if proposal is None else state.last_dealt(proposal),
        rejections=state.rejections(),
        rule_sets=settings.rule_sets,
        reserved={reserved_id(one): one.request.panel for one in opening},
    )
    return found, version


def dealing_costs(state: State, settings: Settings) -> DealingCosts:
    """Return what closing a hedge costs: the venue's fees, and half spreads of the market in force."""
    fees = fee_schedule(settings.venue)
    half = 0.5 * settings.venue.spread_median if state.market is None else state.market.half_spread
    return fees.dealing(half)


def _street(mandate: Mandate, settings: Settings, seen: quotes.MarketView, state: State) -> Street:
    """What blocks are built from, under the mandate's choices."""
    snapshot = seen.snapshot
    if snapshot.spot_move_10m is None and state.mode == "paper":
        snapshot = replace(snapshot, spot_move_10m=0.0)  # the paper street stands still
    return Street(
        snapshot=snapshot,
        surface=seen.surface,
        fees=fee_schedule(settings.venue),
        sale_policy=settings.operation.sale_policy,
        unwind=mandate.cover.unwind,
        put_strike_share=mandate.cover.put_strike_share,
        debit_share_max=mandate.cash.debit_share_max,
        seed=state.seed,
        perpetuals=StructureKind.SHORT_PERPETUAL in mandate.scope.structures,
    )


def preparer(office: Office) -> str:
    """Return the acting person, who may propose hedges; Declined where the mandate names others (M-8.1)."""
    person = users.allowed(office, users.Action.PREPARE)
    preparers = office.mandate().people.preparers
    if person not in preparers:
        raise Declined(
            f"{person} is not among the mandate's preparers (M-8.1) and proposes nothing; nothing was "
            f"kept: let one of them do it (--as {' or '.join(preparers)})"
        )
    return person


@serialised
def plan(office: Office, *, propose: bool = True) -> Plan:
    """Compare the hedges of every open block and propose the best allowed one of each."""
    person = users.allowed(office, users.Action.PREPARE)
    found, version = situation(office, person)
    try:
        compared = compare(found)
    except Wrong as error:
        raise NotFound(str(error)) from error
    number = len(office.state().proposals)
    fresh: list[Proposal] = []
    unwinds: list[tuple[Rated, tuple[UnwindCost, ...]]] = []
    for _, rated in compared:
        chosen = best([(row.candidate, row.verdict, row.score_usd) for row in rated])
        shown = rated[chosen or 0]
        costs = unwind_costs(found.street, found.mandate, shown.candidate, shown.facts)
        unwinds.append((shown, costs))
        if chosen is not None:
            name = f"P-{number + len(fresh) + 1}"
            fresh.append(drafted(found, rated, rated[chosen], name))
    if propose and fresh:
        drafts = [Draft("proposed", {"proposal": to_json(one)}) for one in fresh]
        office.record(*drafts, at=found.at)
    return Plan(
        situation=found,
        version=version,
        blocks=compared,
        proposals=tuple(fresh),
        current=month_so_far_of(office.state(), office.settings(), found.at),
        unwinds=tuple(unwinds),
    )


def drafted(
    found: Situation, rated: tuple[Rated, ...], chosen: Rated, name: str, replaces: str = ""
) -> Proposal:
    """The proposal of a chosen hedge with the envelope of its terms and the envelope's hash."""
    envelope = envelope_of(found, chosen, name, replaces)
    return proposal_of(found, rated, chosen, envelope, sha256(canonical(to_json(envelope))))
