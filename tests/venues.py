"""A venue in a test's own hands, and a desk that deals with it."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from headframe.desk import execution
from headframe.desk.office import Office, Trading
from headframe.desk.ports import Opened, VenueFinding
from headframe.rfq import Direction, Fill, Quote


@dataclass
class FakeVenue:
    """A venue that writes down what it was asked and fails where it is told to."""

    clock: Any
    fail: dict[str, Any] = field(default_factory=dict[str, Any])
    prices: tuple[tuple[str, float], ...] = (("amber", 0.0), ("basalt", 0.0001), ("cobalt", 0.0002))
    name: str = "paper"
    matches: bool = True
    spoken: bool = False
    rests: bool = True
    directs: bool = True
    looks: int = 0
    log: list[str] = field(default_factory=list[str])
    request: Any = None
    taken: Any = None
    filled: Fill | None = None
    state: str = "none"
    record: tuple[Any, ...] = ()

    def _do(self, what: Any) -> None:
        self.log.append(what)
        error = self.fail.get(what)
        if isinstance(error, tuple):
            error, then = error[0], error[1]
            then(self)
        if error is not None:
            raise error

    async def open(self, request: Any) -> Any:
        self.request = request
        self._do("open")
        self.state = "open"
        return Opened("1", request.opened_at + timedelta(minutes=5))

    async def alive(self) -> None:
        self._do("alive")

    async def quotes(self, venue_id: Any) -> Any:
        self._do("quotes")
        at = self.request.opened_at + timedelta(seconds=10)
        buys = self.request.direction is Direction.BUY
        return tuple(
            Quote(
                dealer=name,
                direction=Direction.SELL if buys else Direction.BUY,
                price=round(self.request.reference + (gap if buys else -gap), 4),
                size=float(self.request.amount),
                received_at=at,
                good_until=at + timedelta(minutes=3),
                all_or_none=False,
            )
            for name, gap in self.prices
        )

    def fill(self, price: Any = None) -> Any:
        net = Decimal(repr(round(self.request.reference, 4))) if price is None else price
        side = 1 if self.request.direction is Direction.BUY else -1
        legs = [
            (
                leg.instrument.name,
                self.request.amount * leg.ratio * side,
                Decimal("0.05") if leg.ratio > 0 else Decimal("0.05") - net,
            )
            for leg in self.request.structure.legs
        ]
        self.filled = Fill(
            venue_trade_id="BLOCK-1", dealer="amber", price=net, amount=self.request.amount, legs=tuple(legs),
            fee=Decimal("0.01"), fee_currency="BTC", at=self.request.opened_at + timedelta(seconds=50),
        )  # fmt: skip
        self.state = "filled"
        return self.filled

    async def accept(self, venue_id: Any, request: Any, taking: Any) -> Any:
        self._do("accept")
        self.taken = taking
        return (self.fill(taking.price),)

    async def held(self, venue_id: Any, request: Any) -> Any:
        self._do("held")
        return None

    async def rest(self, venue_id: Any, request: Any, price: Any) -> Any:
        self._do("rest")
        self.taken = price
        return ()

    async def take_back(self, venue_id: Any) -> None:
        self._do("take back")

    async def closed(self, request: Any) -> str:
        return ""

    async def sweep(self, request: Any) -> Any:
        return round(request.reference + 0.001, 4)

    async def mid(self, request: Any) -> Any:
        return request.reference

    async def cancel(self, venue_id: Any) -> None:
        self._do("cancel")
        if self.state == "open":
            self.state = "cancelled"

    async def find(self, request_id: Any) -> Any:
        self._do("find")
        if self.state == "none":
            return None
        return VenueFinding("1", self.state == "open")

    async def dealt(self, since: Any, coin: Any) -> Any:
        """What it dealt before: a test says so in ``record``."""
        return tuple(one for one in self.record if one.at >= since and coin)

    async def evidence(self, venue_id: Any, request: Any) -> Any:
        self._do("evidence")
        return () if self.filled is None else (self.filled,)

    async def orphans(self, ended: Any) -> Any:
        self._do("orphans")
        return ("1",) if self.state == "open" and self.request.id in ended else ()


def deal(office: Office, venue: Any, proposal: Any = "P-1") -> Any:
    return asyncio.run(execution.deal(Trading(office, venue), proposal))
