"""Positions and an operation that several tests use."""

from decimal import Decimal

from headframe.book import Designation, MarginTerms, Position, Trade, TradeLeg
from headframe.codec import Settings, read_settings
from headframe.counterparty import CollateralTerms
from headframe.desk.workspace import sample_file
from headframe.instrument import StructureKind, parse_instrument
from headframe.market import sample_market
from headframe.mining import Costs, Operation, Treasury
from headframe.pricing import surface_of
from headframe.units import Month

AT = sample_market().as_of
SURFACE = surface_of(sample_market())
TERMS = {
    "amber": CollateralTerms(
        threshold_usd=1e6, minimum_transfer_usd=0, rounding_usd=0, independent_share=0, haircut=0
    )
}


def position(
    legs: list[tuple[str, str, str]],
    *,
    kind: StructureKind = StructureKind.COSTLESS_COLLAR,
    margin: MarginTerms = MarginTerms.BILATERAL,
) -> Position:
    """A hundred coins of November with amber."""
    coins = Decimal(100)
    trade = Trade(
        id="T-1",
        proposal="P-1",
        rfq="r",
        structure=kind,
        dealer="amber",
        margin=margin,
        at=AT,
        size=coins,
        net_price=Decimal(0),
        price_currency="BTC",
        legs=tuple(
            TradeLeg(instrument=parse_instrument(n), amount=Decimal(a), price=Decimal(p))
            for n, a, p in legs
        ),
        designations=(
            Designation(month=Month(2026, 11), coins=coins, words="", hedge_for_accounts=True),
        ),
        fee=Decimal(0),
        spot=Decimal(77054),
    )
    return Position(trade=trade, remaining=((Month(2026, 11), coins),))


COLLAR = position([("BTC-25DEC26-70000-P", "100", "0.05"), ("BTC-25DEC26-88000-C", "-100", "0.05")])
FUTURE = position(
    [("BTC-25DEC26", "-7834300", "78343")],
    kind=StructureKind.SHORT_FUTURE,
    margin=MarginTerms.VENUE,
)


def operation() -> Operation:
    """The sample mine with small costs and a small credit line."""
    found = read_settings(sample_file("headframe.toml"))
    assert isinstance(found, Settings)
    mine = found.operation
    return Operation(
        entity=mine.entity,
        coin="BTC",
        sites=mine.sites,
        fleet=mine.fleet[:1],
        pool=mine.pool,
        sale_policy=mine.sale_policy,
        fees=mine.fees,
        costs=Costs(fixed_usd_month=1000.0, debt_service_usd_month=0.0, depreciation_usd_month=0.0),
        treasury=Treasury(
            cash_usd=5e6,
            credit_line_usd=1e6,
            coins_free=50.0,
            coins_pledged=0.0,
            loan_usd=0.0,
            loan_to_value_max=0.7,
            lender_group="Prairie",
        ),
    )


def planned_power(mine: Operation, month: Month) -> float:
    """What a month's power costs at the index when every machine runs."""
    return sum(
        mine.energy_mwh(site, month) * site.power_usd_mwh[month.number - 1] for site in mine.sites
    )
