"""Is the collar free? Price it on the sample market: bought at the ask, sold at the bid."""

from headframe.market import sample_market
from headframe.pricing import black76, surface_of, zero_cost_call, zero_cost_strike
from headframe.units import expiry_label

put = black76(-1.0, 40_000.0, 35_000.0, 0.60, 0.25, 1.0)
call = black76(1.0, 40_000.0, 50_000.0, 0.60, 0.25, 1.0)
print(
    f"worked example at 60 % volatility: put {put:,.0f}, call {call:,.0f}, debit {put - call:,.0f}"
)
free = zero_cost_strike(
    forward=40_000.0, put_strike=35_000.0, put_vol=0.6, call_vol=0.6, years=0.25
)
print(f"the call that would pay for it is struck at {free:,.0f}")

market = sample_market()
surface = surface_of(market)
for quote in market.forwards[2:]:
    strike = round(0.9 * quote.price, -3)
    pair = zero_cost_call(market, surface, put_strike=strike, expiry=quote.expiry)
    assert pair is not None
    residual = pair.residual * market.index
    print(
        f"{expiry_label(quote.expiry)}: put {pair.put_strike:,.0f}, call {pair.call_strike:,.0f} "
        f"(exact {pair.exact_call_strike:,.0f}), residual {residual:+,.0f} USD a coin"
    )
