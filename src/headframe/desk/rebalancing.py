"""The mandate's rule of delta: what it asks now, and the proposals that would answer it. It never trades."""

from dataclasses import dataclass

from headframe.codec import to_json
from headframe.desk import closing, programme, users
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Declined, Draft
from headframe.desk.valuation import value_now
from headframe.hedge import (
    Balance,
    Bucket,
    Proposal,
    Situation,
    balances,
    rate_again,
)
from headframe.instrument import StructureKind
from headframe.mandate import Rebalance
from headframe.risk import marks
from headframe.units import Month


@dataclass(frozen=True, slots=True)
class Rebalancing:
    """Delta by expiry, what was proposed, and why nothing was where nothing could be."""

    rule: Rebalance
    balances: tuple[Balance, ...]
    proposals: tuple[Proposal, ...]
    refused: tuple[str, ...]


def look(office: Office) -> tuple[Rebalance, tuple[Balance, ...]]:
    """The rule and where every expiry stands against it; Declined where the mandate has no such rule."""
    users.allowed(office, users.Action.READ)
    rule = office.mandate().rebalance
    if rule is None:
        raise Declined("the mandate has no rule of rebalancing (M-11): add [rebalance] and sign it")
    now = value_now(office)
    return rule, balances(now.dealt, marks(now.dealt, now.surface, now.at), rule)


@serialised
def propose(office: Office) -> Rebalancing:
    """Propose what the rule asks, all of it or nothing; each proposal is approved like any other."""
    programme.preparer(office)
    with office.together():
        return _proposed(office)


def _proposed(office: Office) -> Rebalancing:
    rule, found = look(office)
    made: list[Proposal] = []
    refused: list[str] = []
    for one in found:
        made += [closing.propose(office, trade, coins) for trade, coins in one.buy_back]
        if one.sell > 0:
            sale = _sale(office, one)
            made += [sale] if isinstance(sale, Proposal) else []
            refused += [sale] if isinstance(sale, str) else []
    return Rebalancing(rule, found, tuple(made), tuple(refused))


@serialised
def _sale(office: Office, one: Balance) -> Proposal | str:
    """Futures of an expiry sold, proposed; why not where the mandate or the market says no."""
    person = users.allowed(office, users.Action.PREPARE)
    found, _ = programme.situation(office, person)
    bucket = Bucket(expiry=one.expiry, listed=True, needs=_needs(found, one), clip=one.sell)
    rated = rate_again(found, bucket, StructureKind.SHORT_FUTURE)
    if rated is None:
        return f"{one.expiry:%Y-%m-%d}: no future is listed"
    if not rated.verdict.allowed:
        words = "; ".join(str(breach) for breach in rated.verdict.breaches if breach.blocks)
        return f"{one.expiry:%Y-%m-%d}: {one.sell} coins of futures: {words}"
    name = f"P-{len(office.state().proposals) + 1}"
    made = programme.drafted(found, (rated,), rated, name)
    office.record(Draft("proposed", {"proposal": to_json(made)}), at=found.at)
    return made


def _needs(found: Situation, one: Balance) -> tuple[tuple[Month, float], ...]:
    """The months whose coins the options of an expiry cover, by what is left of each."""
    months: dict[Month, float] = {}
    for position in found.positions:
        if position.trade.expiry == one.expiry:
            for month, coins in position.remaining:
                months[month] = months.get(month, 0.0) + float(coins)
    return tuple(sorted(months.items()))
