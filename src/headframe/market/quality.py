"""What is wrong with a snapshot, as values a person and a rule can read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from headframe.market.snapshot import OptionQuote, Snapshot
from headframe.units import expiry_label


class Flaw(StrEnum):
    """The ways a figure can be unfit to trade on, most serious first."""

    FUTURE_DATED = "future_dated"
    STALE = "stale"
    CROSSED = "crossed"
    CALENDAR = "calendar"
    EXPIRED = "expired"
    MISSING = "missing"
    ONE_SIDED = "one_sided"


@dataclass(frozen=True, slots=True)
class Finding:
    """One flaw: what, where and the figures."""

    flaw: Flaw
    where: str
    detail: str


def findings(snapshot: Snapshot, *, at: datetime, age_max: timedelta) -> tuple[Finding, ...]:
    """Every flaw of a snapshot seen at an instant, most serious first."""
    order = list(Flaw)
    found = [*_age(snapshot, at, age_max), *_forwards(snapshot), *_options(snapshot)]
    return tuple(sorted(found, key=lambda finding: order.index(finding.flaw)))


def frozen(before: Snapshot, after: Snapshot) -> bool:
    """Whether a later snapshot says again, to the last digit, what an earlier one said."""
    if not before.as_of < after.as_of or before.coin != after.coin:
        return False
    said = (before.index, before.forwards, before.options, before.typed)
    return said == (after.index, after.forwards, after.options, after.typed)


def _age(snapshot: Snapshot, at: datetime, age_max: timedelta) -> Iterator[Finding]:
    age = at - snapshot.as_of
    if age < timedelta(0):
        yield Finding(Flaw.FUTURE_DATED, "snapshot", f"dated {-age} after the workspace clock")
    if age > age_max:
        yield Finding(Flaw.STALE, "snapshot", f"{_words(age)} old, allowed {_words(age_max)}")


def _words(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    return f"{minutes} min" if minutes < 180 else f"{minutes / 60:.1f} h"


def _forwards(snapshot: Snapshot) -> Iterator[Finding]:
    quoted = {quote.expiry for quote in snapshot.options} | {s.expiry for s in snapshot.typed}
    for forward in snapshot.forwards:
        where = expiry_label(forward.expiry)
        if forward.expiry <= snapshot.as_of:
            yield Finding(Flaw.EXPIRED, where, "expired before the snapshot was taken")
        if forward.expiry not in quoted:
            yield Finding(Flaw.MISSING, where, "a forward without any volatility")


def _options(snapshot: Snapshot) -> Iterator[Finding]:
    one_sided: dict[datetime, int] = {}
    for quote in snapshot.options:
        where = f"{expiry_label(quote.expiry)} {quote.strike:.0f} {_letter(quote)}"
        if quote.bid and quote.ask and quote.bid > quote.ask:
            yield Finding(Flaw.CROSSED, where, f"bid {quote.bid} above ask {quote.ask}")
        elif not quote.bid and not quote.ask:
            yield Finding(Flaw.MISSING, where, "neither bid nor ask")
        elif not quote.two_sided:
            one_sided[quote.expiry] = one_sided.get(quote.expiry, 0) + 1
    for expiry, count in sorted(one_sided.items()):
        yield Finding(Flaw.ONE_SIDED, expiry_label(expiry), f"{count} options with one side only")


def _letter(quote: OptionQuote) -> str:
    return "call" if quote.is_call else "put"
