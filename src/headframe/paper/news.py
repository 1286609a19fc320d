"""Who hears what: each change to those who asked for it and may know, in the shape their side sees."""

from headframe.paper.accounts import Account
from headframe.paper.listing import Listing
from headframe.paper.lit import LitBook
from headframe.paper.quotes import public_quote
from headframe.paper.rpc import Json, RpcError, invalid
from headframe.paper.session import Session, Sessions
from headframe.paper.street import Street


class News:
    """Notifications to the open sessions."""

    def __init__(self, sessions: Sessions, street: Street, listing: Listing, lit: LitBook) -> None:
        self.sessions = sessions
        self.street = street
        self.listing = listing
        self.lit = lit

    async def request(self, request: Json) -> None:
        """A request has changed: its taker, its dealers and, when it is filled, everybody."""
        for session in list(self.sessions.open):
            for channel in sorted(session.channels):
                data = self._of_request(session, channel, request)
                if data is not None:
                    await session.notify(channel, data)

    def _of_request(self, session: Session, channel: str, request: Json) -> object:
        """What a session hears of a request on a channel; None for nothing."""
        if channel.startswith("block_rfq.trades."):
            return self.listing.tape(request) if request["state"] == "filled" else None
        caller = session.account
        if caller is None or not channel.startswith("block_rfq."):
            return None
        if not _currency_of(channel, request):
            return None
        if channel.startswith("block_rfq.maker.quotes."):
            mine = [one for one in request["quotes"] if one["account"] == caller.client_id]
            return [public_quote(one) for one in mine] or None
        wanted = "taker" if channel.startswith("block_rfq.taker.") else "maker"
        if self.street.role(request, caller) != wanted:
            return None
        return self.street.shown(request, caller)

    async def order(self, owner: Account, order: Json, fills: list[Json]) -> None:
        """An order has changed."""
        await self._mine(owner, "user.orders.", order)
        if fills:
            await self.trades(owner, fills)

    async def trades(self, owner: Account, trades: list[Json]) -> None:
        """An account has traded."""
        await self._mine(owner, "user.trades.", trades)

    async def _mine(self, owner: Account, subject: str, data: object) -> None:
        for session in list(self.sessions.open):
            for channel in sorted(session.channels):
                if session.account is owner and channel.startswith(subject):
                    await session.notify(channel, data)

    async def beat(self) -> None:
        """Tickers, books and the index as they stand."""
        for session in list(self.sessions.open):
            for channel in sorted(session.channels):
                data = self._beat(channel)
                if data is not None:
                    await session.notify(channel, data)

    def _beat(self, channel: str) -> Json | None:
        subject, _, rest = channel.partition(".")
        now = self.street.world.now_ms()
        try:
            if subject == "ticker":
                return self.listing.ticker_of(rest.rsplit(".", 1)[0])
            if subject == "book":
                bids, asks = self.lit.sides(rest.split(".")[0])
                return {
                    "type": "snapshot",
                    "timestamp": now,
                    "instrument_name": rest.split(".")[0],
                    "change_id": now,
                    "bids": [["new", *row] for row in bids],
                    "asks": [["new", *row] for row in asks],
                }
        except RpcError:
            return None
        if subject != "deribit_price_index":
            return None
        price = self.street.world.index()
        return {"index_name": rest, "price": price, "timestamp": now}


def _currency_of(channel: str, request: Json) -> bool:
    """Whether a channel's currency covers a request."""
    code = channel.rsplit(".", 1)[-1]
    name = str(request["legs"][0]["instrument_name"])
    if code == "any":
        return True
    if code not in {"BTC", "ETH", "USDC", "USDT", "EURR"}:
        raise invalid("channels", f"{channel} names no currency")
    return name.startswith(f"{code}-") or f"_{code}-" in name
