"""One caller's connection: who it is, what it hears, whether it still lives."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from headframe.paper.accounts import Account
from headframe.paper.rpc import Params, RpcError, invalid

Send = Callable[[str], Awaitable[None]]
RATE_PER_SECOND, RATE_BURST = 200.0, 1_000.0
"""Requests a session may make: the venue's own limits are by credits; these are settings."""


@dataclass(eq=False)
class Session:
    """A WebSocket, or one HTTP request (which hears nothing)."""

    send: Send | None = None
    account: Account | None = None
    scope: str = ""
    channels: set[str] = field(default_factory=set[str])
    heartbeat: float = 0.0
    cancels: bool = False
    awaiting: bool = False
    spoken: bool = True
    closed: bool = False
    credit: float = RATE_BURST
    seen: float = 0.0

    async def notify(self, channel: str, data: object) -> None:
        """A subscription message, in order with everything else sent to this caller."""
        if self.send is None or self.closed:
            return
        params = {"channel": channel, "data": data}
        await self.send(json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params}))

    def spend(self, now: float) -> None:
        """One request's credit, or the venue's refusal."""
        self.credit = min(RATE_BURST, self.credit + (now - self.seen) * RATE_PER_SECOND)
        self.seen = now
        if self.credit < 1.0:
            raise RpcError(10028, "too_many_requests")
        self.credit -= 1.0


class Sessions:
    """Every open connection."""

    def __init__(self) -> None:
        self.open: set[Session] = set()

    def subscribe(self, session: Session, params: Params, *, private: bool) -> list[str]:
        """public/subscribe and private/subscribe: the channels that are known."""
        if session.send is None:
            raise RpcError(-32601, "Method not found", "subscriptions need a WebSocket")
        wanted = params.texts("channels")
        known = [name for name in wanted if _known(name)]
        guarded = [name for name in known if _is_private(name)]
        if guarded and not private:
            raise RpcError(13009, "unauthorized", f"{guarded[0]} needs private/subscribe")
        for name in guarded:
            if name.startswith("block_rfq.maker") and (
                session.account is None or session.account.dealer is None
            ):
                raise RpcError(13021, "forbidden", "maker channels need a dealer's key")
        session.channels.update(known)
        return known

    def unsubscribe(self, session: Session, params: Params) -> list[str]:
        """Drop channels."""
        wanted = params.texts("channels")
        session.channels.difference_update(wanted)
        return wanted

    def set_heartbeat(self, session: Session, params: Params) -> str:
        """public/set_heartbeat: the least interval is ten seconds."""
        interval = params.number("interval")
        if interval < 10.0:
            raise invalid("interval", "must be 10 or more seconds")
        session.heartbeat, session.awaiting = interval, False
        return "ok"


_PRIVATE = ("block_rfq.taker.", "block_rfq.maker.", "block_trade_confirmations", "user.")
_PUBLIC = (
    "block_rfq.trades.",
    "book.",
    "ticker.",
    "deribit_price_index.",
    "instrument.state.",
    "trades.",
    "platform_state",
    "quote.",
)


def _known(name: str) -> bool:
    return name.startswith(_PRIVATE + _PUBLIC)


def _is_private(name: str) -> bool:
    return name.startswith(_PRIVATE)
