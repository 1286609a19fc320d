"""Amounts, months, instants and hashrates: values with their units, and the only rounding."""

from headframe.units.calendar import WorkingDays
from headframe.units.hashrate import format_hashrate, parse_hashrate
from headframe.units.instant import (
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
    Currency,
    Money,
    booked,
    parse_decimal,
)
from headframe.units.month import Month, months_from, months_to
from headframe.units.reading import (
    CellNumber,
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
from headframe.units.wrong import Wrong

__all__ = [
    "BTC",
    "COINS",
    "CURRENCIES",
    "USD",
    "CellNumber",
    "Currency",
    "Money",
    "Month",
    "WorkingDays",
    "Wrong",
    "booked",
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
    "shared_out",
    "steadied",
    "steady",
    "year_fraction",
]
