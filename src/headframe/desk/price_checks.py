"""Prices of sales and rates held against what the desk knows, before they come into the books."""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal

from headframe.book import Flow, FlowKind, FxRate
from headframe.codec import Settings
from headframe.desk.ports import Invalid
from headframe.desk.state import State
from headframe.lifecycle import KnownPrice, check_rate, index_name, price_refusal
from headframe.units import COINS, USD, Wrong


def known_prices(state: State, settings: Settings, coin: str) -> Iterator[KnownPrice]:
    """Yield the prices of a coin on record: settlements, the market in force, a scenario, rates kept."""
    for rate in state.fx.get(coin, ()):
        yield KnownPrice(rate.at.date(), rate.usd, "the rate kept")
    if coin != settings.operation.coin:
        return
    for price in state.settlement_prices.values():
        if price.instrument == index_name(coin):
            yield KnownPrice(price.day, price.price, price.source)
    if state.market is not None:
        index = Decimal(repr(state.market.index))
        yield KnownPrice(state.market.as_of.date(), index, "the market imported")
    if state.spot is not None and state.last_day is not None:
        yield KnownPrice(state.last_day, Decimal(repr(state.spot)), "the last close")


def check_confirmed(flows: Sequence[Flow], source: str, confirmed: Collection[str]) -> None:
    """Raise Invalid where a price is confirmed of no sale that was given."""
    sales = {flow.id for flow in flows if flow.kind is FlowKind.SALE}
    odd = [one for one in confirmed if one not in sales]
    if odd:
        raise Invalid(
            f"{source}: confirmed price: expected the id of a sale in it, got {odd[0][:40]!r}; fix: give the "
            "id as the file has it"
        )


def confirmed_prices(fresh: Sequence[Flow], confirmed: Collection[str]) -> dict[str, object]:
    """Return the key of an event that names the sales whose price a person confirmed; empty without."""
    ids = sorted(one.id for one in fresh if one.id in confirmed)
    return {"confirmed_prices": ids} if ids else {}


def check_sales(
    state: State,
    settings: Settings,
    flows: Sequence[Flow],
    source: str,
    confirmed: Collection[str] = (),
) -> None:
    """Raise Invalid where a sale's price is out of all proportion and was not confirmed by its id."""
    for flow in flows:
        if flow.kind is not FlowKind.SALE or flow.id in confirmed:
            continue
        usd = _usd_per_coin(state, settings, flow)
        coin = flow.coins.currency.code
        words = (
            ""
            if usd is None
            else price_refusal(flow.at.date(), usd, known_prices(state, settings, coin))
        )
        if words:
            raise Invalid(
                f"{source}: {flow.id}: price of the sale ({flow.cash} {flow.cash.currency.code} for "
                f"{flow.coins} {coin}): {words}; fix: check coins, amount and currency, or confirm a price "
                f"that was truly paid with --confirm-price {flow.id}"
            )


def _usd_per_coin(state: State, settings: Settings, flow: Flow) -> Decimal | None:
    """Return what a sale brought in USD per coin; None where its currency has no rate then."""
    coins = Decimal(flow.coins.smallest).scaleb(-flow.coins.currency.decimals)
    if flow.cash.currency == USD:
        return Decimal(flow.cash.smallest).scaleb(-USD.decimals) / coins
    usd = state.usd_of(flow.cash, flow.at, settings.bank)
    return None if usd is None else Decimal(repr(usd)) / coins


def check_rates(state: State, settings: Settings, rates: Sequence[FxRate]) -> None:
    """Raise Invalid where a rate is beyond what its currency was ever worth, or far off what is known."""
    for one in rates:
        words = ""
        if one.currency in COINS:
            known = known_prices(state, settings, one.currency)
            words = price_refusal(one.at.date(), one.usd, known)
        try:
            check_rate(one.currency, one.usd)
        except Wrong as error:
            raise Invalid(str(error)) from error
        if words:
            raise Invalid(
                f"{one.currency}: {words}; fix: give dollars for one coin, and rates on the way where "
                "it moved further"
            )
