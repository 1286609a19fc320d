"""Amounts, months, instants and hashrates: values with their units, and the only rounding."""

from headframe.units.calendar import WorkingDays
from headframe.units.hashrate import format_hashrate, parse_hashrate
from headframe.units.instant import (
    NO_EXPIRY,
    expiry_label,
    is_utc,
    iso,
    parse_expiry,
    year_fraction,
)
from headframe.units.money import (
    BTC,
    COINS,
    CURRENCIES,
    USD,
    USDC,
    Currency,
    Money,
    booked,
    parse_decimal,
)
from headframe.units.month import Month, months_from, months_to
from headframe.units.reading import (
    CellNumber,
    expiry_instant,
    instant,
    instant_since_1970,
    is_ambiguous,
    parse_amount,
    parse_clock,
    parse_contract_month,
    parse_day,
    parse_figure,
    parse_figures,
    parse_grouped,
    parse_month,
    parse_number,
    parse_whole,
)
from headframe.units.shares import shared_out
from headframe.units.steady import steadied, steady
from headframe.units.wrong import Wrong, collecting_refusals, refuse

__all__ = [
    "BTC",
    "COINS",
    "CURRENCIES",
    "NO_EXPIRY",
    "USD",
    "USDC",
    "CellNumber",
    "Currency",
    "Money",
    "Month",
    "WorkingDays",
    "Wrong",
    "booked",
    "collecting_refusals",
    "expiry_instant",
    "expiry_label",
    "format_hashrate",
    "instant",
    "instant_since_1970",
    "is_ambiguous",
    "is_utc",
    "iso",
    "months_from",
    "months_to",
    "parse_amount",
    "parse_clock",
    "parse_contract_month",
    "parse_day",
    "parse_decimal",
    "parse_expiry",
    "parse_figure",
    "parse_figures",
    "parse_grouped",
    "parse_hashrate",
    "parse_month",
    "parse_number",
    "parse_whole",
    "refuse",
    "shared_out",
    "steadied",
    "steady",
    "year_fraction",
]
