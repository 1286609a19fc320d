"""Exposure to each counterparty: what we would lose if it failed, today and after a jump."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import sqrt
from statistics import NormalDist

from headframe.book import MarginTerms, Position
from headframe.counterparty import (
    HOUSE,
    CollateralTerms,
    Dossier,
    Grid,
    Sublimit,
    score,
)
from headframe.instrument import Kind
from headframe.pricing import Surface
from headframe.risk.marks import Units
from headframe.risk.netting import Netted, netted
from headframe.risk.saccr import HOUSE as SACCR_HOUSE
from headframe.risk.saccr import AssetClass, Exposed, FactorSet, Option, exposure_at_default
from headframe.units import months_to, year_fraction

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One counterparty: our gain net of its collateral, and what we posted, now and after jumps."""

    dealer: str
    group: str
    trades: int
    value_usd: float
    posted_usd: float
    held_usd: float
    current_usd: float
    down_usd: float
    up_usd: float
    line_usd: float
    ead_usd: float = 0.0
    """Exposure at default by SA-CCR, the house's figures for coins."""
    in_flight_usd: float = 0.0
    """What it has settled or posted and we do not have yet, by the bank's calendar."""
    lent_usd: float = 0.0
    """Coins it has borrowed of us, at the price."""
    surplus_usd: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Of today's, the fallen and the risen exposure, what the group's lender has of pledged coins."""

    @property
    def cases(self) -> tuple[float, float, float]:
        """Exposure today, fallen and risen."""
        return self.current_usd, self.down_usd, self.up_usd

    @property
    def line_share(self) -> float:
        """The larger of today's and the fallen market's exposure, over the line."""
        worst = max(self.cases)
        if self.line_usd > 0.0:
            return worst / self.line_usd
        return float("inf") if worst > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class Pledge:
    """Coins a lender's group holds against a loan: what they are worth above it is lost with it."""

    group: str
    coins: float
    loan_usd: float

    def price_at(self, share: float) -> float | None:
        """The price below which the loan is more than a share of the coins' worth; None without either."""
        if self.loan_usd <= 0.0 or self.coins <= 0.0:
            return None
        return self.loan_usd / (share * self.coins)

    def short_coins(self, share: float, spot: float) -> float:
        """Coins to be pledged more so that the loan is a share of them at a price; 0 where it is less."""
        return max(self.loan_usd / (share * spot) - self.coins, 0.0) if self.loan_usd > 0.0 else 0.0

    def surplus_usd(self, group: str, spot: float) -> float:
        """What we would lose with this group at a price; nothing where it is not the lender's."""
        return max(self.coins * spot - self.loan_usd, 0.0) if group == self.group else 0.0


class Markets:
    """Today's market, and it after an instant fall and rise: an instrument is valued once on each.

    ``factors`` are the figures of SA-CCR.
    """

    def __init__(
        self,
        surface: Surface,
        at: datetime,
        jumps: tuple[float, float],
        factors: FactorSet = SACCR_HOUSE,
    ) -> None:
        self.surface, self.at, self.factors = surface, at, factors
        self.here = Units(surface, at)
        self.down, self.up = (
            Units(surface.at_spot(surface.spot * (1.0 + jump), at), at) for jump in jumps
        )


def exposure(
    dossier: Dossier,
    positions: tuple[Position, ...],
    markets: Markets,
    *,
    posted_usd: float,
    held_usd: float,
    pledge: Pledge,
    in_flight_usd: float = 0.0,
    lent_coins: float = 0.0,
) -> Exposure:
    """Exposure to one counterparty before any further collateral moves.

    Loss at default is our gain, netted where close-out netting holds, less the collateral we hold, plus
    what we posted beyond our own netted loss: both at today's price and after an instant fall and rise.
    What it owes us from settlements and is on its way is added, and coins it has borrowed. Lender and dealer
    of one group are one exposure: the surplus of the pledged coins counts in.
    """
    mine = tuple(
        p
        for p in positions
        if p.trade.dealer == dossier.name and p.trade.margin is MarginTerms.BILATERAL
    )

    sets = [netted(mine)] if dossier.closeout_netting else [netted((one,)) for one in mine]

    def lost(units: Units) -> float:
        surplus = pledge.surplus_usd(dossier.group, units.spot)
        claim = _claim(sets, units) - held_usd + posted_usd
        return max(claim, 0.0) + in_flight_usd + lent_coins * units.spot + surplus

    return Exposure(
        dealer=dossier.name,
        group=dossier.group,
        trades=len(mine),
        value_usd=sum(one.worth(markets.here) for one in sets),
        posted_usd=posted_usd,
        held_usd=held_usd,
        in_flight_usd=in_flight_usd,
        lent_usd=lent_coins * markets.here.spot,
        current_usd=lost(markets.here),
        down_usd=lost(markets.down),
        up_usd=lost(markets.up),
        surplus_usd=(
            pledge.surplus_usd(dossier.group, markets.here.spot),
            pledge.surplus_usd(dossier.group, markets.down.spot),
            pledge.surplus_usd(dossier.group, markets.up.spot),
        ),
        line_usd=dossier.credit.line_usd,
        ead_usd=_eads(sets, markets, held_usd - posted_usd),
    )


def _claim(sets: Sequence[Netted], units: Units) -> float:
    """What we would claim: netted, the net gain or loss; not netted, every trade's gain alone."""
    if len(sets) == 1:
        return sets[0].worth(units)
    return sum(max(one.worth(units), 0.0) for one in sets)


def _eads(sets: Sequence[Netted], markets: Markets, collateral_usd: float) -> float:
    """SA-CCR of every netting set; where nothing nets, collateral is counted to the first alone."""
    return sum(
        _ead(one, markets, collateral_usd if place == 0 else 0.0) for place, one in enumerate(sets)
    )


def _ead(together: Netted, markets: Markets, collateral_usd: float) -> float:
    """SA-CCR of one dealer's netting set, without credit for further collateral."""
    trades: list[Exposed] = []
    for one, amount, _ in together.rows:
        years = max(year_fraction(markets.at, one.expiry), 1e-6)
        forward = markets.surface.forward(years)
        option = None
        if one.strike is not None:
            call = one.kind is Kind.CALL
            strike = float(one.strike)
            option = Option(call=call, bought=amount > 0, price=forward, strike=strike, years=years)
        coins = abs(amount) / forward if one.amount_in_usd else abs(amount)
        trades.append(
            Exposed(
                asset=AssetClass.COINS,
                hedging_set="coins",
                name=one.coin,
                notional=coins * forward,
                long=amount > 0,
                maturity=years,
                option=option,
            )
        )
    value = together.worth(markets.here)
    found = exposure_at_default(
        trades, value=value, collateral=collateral_usd, factors=markets.factors
    )
    return found.value


def sublimits_used(
    dossier: Dossier, positions: tuple[Position, ...], spot: float, at: datetime
) -> tuple[tuple[Sublimit, float], ...]:
    """Each of a dealer's sublimits with the notional that counts to it, at the spot."""
    mine = [
        (one, months_to(at, one.trade.expiry))
        for one in positions
        if one.trade.dealer == dossier.name and one.trade.margin is MarginTerms.BILATERAL
    ]
    return tuple(
        (
            limit,
            sum(
                float(one.coins) * spot
                for one, months in mine
                if limit.counts(one.trade.structure, months)
            ),
        )
        for limit in dossier.credit.sublimits
    )


def by_group(exposures: tuple[Exposure, ...]) -> Mapping[str, float]:
    """The worst of today, fall and rise, of all counterparties of a group together.

    One group is one exposure; the surplus of coins pledged to its lender is in it once.
    """
    members: dict[str, list[Exposure]] = {}
    for one in exposures:
        members.setdefault(one.group, []).append(one)
    return {
        group: max(
            sum(one.cases[case] - one.surplus_usd[case] for one in some)
            + max(one.surplus_usd[case] for one in some)
            for case in range(3)
        )
        for group, some in members.items()
    }


def credit_charge_usd(
    dossier: Dossier, on: date, grid: Grid = HOUSE, *, forward: float, vol: float, years: float
) -> float:
    """What a dealer's chance of failing costs per coin: default x loss x expected exposure.

    The expected positive exposure of a forward with volatility v is about 0.4 v sqrt(t) of the
    forward; its mean over the life is two thirds of that at the end (Hull, "Options, futures and
    other derivatives", chapter on CVA). Collateral above the threshold is ignored: an upper bound.
    """
    failing = grid.default_probability(score(dossier, on, grid).grade)
    exposed = 0.4 * (2.0 / 3.0) * vol * sqrt(max(years, 0.0)) * forward
    return failing * grid.loss_given_default * max(years, 0.0) * exposed


def margin_charge_usd(
    terms: CollateralTerms,
    *,
    forward: float,
    vol: float,
    years: float,
    size: float,
    financing_rate: float,
) -> float:
    """What financing a dealer's collateral costs per coin: its independent amount and the calls of losses.

    The loss of a forward is taken as normal with the deviation that gives the exposure of the credit charge,
    two thirds of that at the end; what lies above the threshold is posted: Bachelier's formula.
    """
    life = max(years, 0.0)
    deviation = (2.0 / 3.0) * vol * sqrt(life) * forward
    called = 0.0
    if deviation > 0.0:
        kept = terms.threshold_usd / size
        away = kept / deviation
        called = deviation * _NORMAL.pdf(away) - kept * _NORMAL.cdf(-away)
    return (called + terms.independent_share * forward) * financing_rate * life
