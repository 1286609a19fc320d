"""What a day's close does to contracts on a schedule: the day's index and the morning's price fix them."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from headframe.book import Entry, HeldContract, contract_cost, contract_released
from headframe.hedge import expected_fixing
from headframe.lifecycle.day_start import DayStart

_RATE = {False: Decimal("0.01"), True: Decimal("0.00000001")}
"""A hashprice is fixed to the cent, in coin to the satoshi."""


@dataclass(frozen=True, slots=True)
class ContractsDay:
    """What the contracts do today: what they pay and promise no longer, premium and fee of it in USD."""

    fixed: tuple[tuple[str, date, Decimal], ...]
    paid: tuple[tuple[str, str, Fraction], ...]
    """By contract: currency and amount, below zero where we pay."""
    released: tuple[Entry, ...]
    premium_usd: float
    fees_usd: float
    after: tuple[HeldContract, ...]


def contracts_of_day(start: DayStart) -> ContractsDay:
    """Fix what the day fixes: the day's hashprice, and the mean's price of the next morning, 08:00 UTC.

    Days before that nobody fixed are fixed with it, at the same figures.
    """
    fixed: list[tuple[str, date, Decimal]] = []
    paid: list[tuple[str, str, Fraction]] = []
    released: list[Entry] = []
    after: list[HeldContract] = []
    premium = fees = 0.0
    for before in start.contracts:
        contract = before.contract
        held, total = before, Fraction(0)
        for day in before.days_left:
            if held.fixes_at(day) > start.closes_at:
                break
            fixing = _fixing(start, held)
            held, amount = held.fixed(day, fixing)
            total += amount
            fixed.append((contract.id, day, fixing))
        if total:
            paid.append((contract.id, contract.terms.settled_in, total))
        released += contract_released(before, held)
        paid_once, fee = contract_cost(before, held)
        premium, fees = premium - float(paid_once), fees - float(fee)
        after.append(held)
    return ContractsDay(
        tuple(fixed), tuple(paid), tuple(released), premium, fees, tuple(after)
    )  # fmt: skip


def _fixing(start: DayStart, held: HeldContract) -> Decimal:
    terms = held.contract.terms
    assert start.index is not None
    fixing = expected_fixing(terms, start.index, start.day, start.spot)
    if terms.forward is None:
        return fixing
    return fixing.quantize(_RATE[terms.in_coin], rounding=ROUND_HALF_EVEN)
