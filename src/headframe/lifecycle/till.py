"""The amounts of one close while they are gathered: flows of hedges with their ledger entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from headframe.book import Entry, hedge_flow
from headframe.lifecycle.flows import FlowCause, HedgeFlow, split
from headframe.units import COINS, CURRENCIES, Month, booked

_MEMO = {
    FlowCause.EXERCISE: "settled at expiry",
    FlowCause.DELIVERY: "settled at expiry",
    FlowCause.UNWIND: "reduced",
    FlowCause.FIXING: "settled",
}


@dataclass
class Till:
    """What hedges pay and receive at one close; the booked amount is what counts from here on."""

    spot: Fraction
    entries: list[Entry] = field(default_factory=list[Entry])
    flows: list[HedgeFlow] = field(default_factory=list[HedgeFlow])
    coins: Fraction = Fraction(0)
    dollars: Fraction = Fraction(0)
    fees_usd: float = 0.0
    basis_usd: float = 0.0

    def add(self, flow: HedgeFlow) -> None:
        """Take one flow into the books of the day."""
        memo = _MEMO.get(flow.cause, str(flow.cause))
        self.flows.append(flow)
        if not flow.money.smallest:
            return
        self.entries.append(hedge_flow(flow.trade, flow.money, memo))
        exact = Fraction(flow.money.smallest, flow.money.currency.scale)
        in_usd = flow.money.currency.code not in COINS  # USDC counts as dollars at par
        self.dollars += exact if in_usd else 0
        self.coins += 0 if in_usd else exact
        if flow.cause is FlowCause.FEE:
            self.fees_usd += float(exact * (1 if in_usd else self.spot))
        self.basis_usd += flow.basis_usd

    def pay(
        self,
        trade: str,
        cause: FlowCause,
        amount: tuple[str, Fraction],
        months: Mapping[Month, Decimal],
        at_spot: Fraction | None = None,
    ) -> None:
        """Take an amount of a currency, rounded once; nothing where it rounds to nothing.

        ``at_spot`` is what it would have been at spot prices alone: the rest is basis.
        """
        code, exact = amount
        money = booked(exact, CURRENCIES[code])
        if not money.smallest:
            return
        unit = self.spot if code in COINS else 1
        basis = 0.0 if at_spot is None else float((exact - at_spot) * unit)
        self.add(
            HedgeFlow(
                trade=trade,
                cause=cause,
                money=money,
                months=split(money, months),
                basis_usd=basis,
            )
        )
