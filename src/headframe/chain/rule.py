"""What every chain says of itself: one value a chain, made in its own file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from headframe.chain.compact import (
    HASHES_PER_DIFFICULTY,
    TARGET_ONE,
    difficulty_of_bits,
    target_of_bits,
)
from headframe.units import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block of a window: its time in seconds (milliseconds on Kaspa), and its bits or difficulty."""

    time: int
    bits: int = 0
    difficulty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What a difficulty rule may look at; each chain names in ``needs`` which of these it wants."""

    bits: int | None = None
    difficulty: int | None = None
    first_time: int | None = None
    last_time: int | None = None
    height: int | None = None
    uncles: bool = False
    anchor: tuple[int, int, int] | None = None
    window: tuple[Block, ...] = ()

    def need(self, name: str) -> int:
        """A figure the rule cannot do without."""
        found: int | None = getattr(self, name)
        if found is None:
            raise Wrong(f"this chain's rule needs {name.replace('_', '-')}")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    """The next block's difficulty, exact, with its bits where the chain has them, and the one before."""

    bits: int | None
    difficulty: Fraction
    before: Fraction | None

    @property
    def change(self) -> float | None:
        """Relative change; None where the difficulty before was not said."""
        return float(self.difficulty / self.before) - 1.0 if self.before else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A position of the chain at an instant, with its source: what dates are counted from."""

    position: int
    at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The rules of one proof-of-work chain.

    ``position`` is what the subsidy depends on: the height, Kaspa's DAA score, Monero's atomic
    units generated. ``period`` is the number of blocks between adjustments and ``intervals`` how
    many block intervals one of them measures. ``unverified`` names the rules no vector was found
    for; they are marked wherever they are shown. ``shown_at`` is the position shown where no point of
    the chain is known.
    """

    coin: str
    name: str
    algorithm: str
    decimals: int
    spacing_seconds: Fraction
    position: str = "height"
    subsidy: Callable[[int], int]
    next_step: Callable[[int], int | None]
    miner_share: Callable[[int], int] | None = None
    period: int = 1
    intervals: int = 1
    target_one: int = TARGET_ONE
    hashes_per_difficulty: float = HASHES_PER_DIFFICULTY
    rule: str
    needs: tuple[str, ...]
    adjust: Callable[[Adjustment], Adjusted]
    sources: tuple[str, ...]
    unverified: tuple[str, ...] = ()
    known: Known | None = None
    shown_at: int = 0
    merged_with: tuple[str, ...] = ()
    notes: str = ""
    coinbase_maturity: int = 0
    """Confirmations before coins of a block reward may be spent, by consensus; 0 without such a rule."""
    scale: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", 10**self.decimals)

    def miner_subsidy(self, position: int) -> int:
        """What the block's miner gets of the subsidy, in smallest units, fees aside."""
        return self.subsidy(position) if self.miner_share is None else self.miner_share(position)

    def steps(self, height: int, blocks: int) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Heights at which the miner's reward changes within so many blocks, and the rewards in coins.

        The rewards are one more: the first holds at ``height``. A chain that pays by coins generated
        is taken at its tail.
        """
        if self.position == "atomic units generated":
            return (), (self.miner_subsidy(1 << 64) / self.scale,)
        found: list[int] = []
        step = self.next_step(height)
        while step is not None and step < height + blocks and len(found) < 1_000:
            found.append(step)
            step = self.next_step(step)
        rewards = [self.miner_subsidy(one) / self.scale for one in (height, *found)]
        return tuple(found), tuple(rewards)

    def coins(self, smallest: int) -> str:
        """An amount of smallest units as a decimal text with all its digits."""
        whole, part = divmod(smallest, self.scale)
        return f"{whole}.{part:0{self.decimals}d}"

    def position_at(self, at: datetime) -> int:
        """Where the chain should stand at an instant by its target spacing; else where its file says."""
        if self.known is None:
            return self.shown_at
        blocks = (at - self.known.at).total_seconds() / self.spacing_seconds
        return max(self.known.position + int(blocks), 0)

    def step_at(self, position: int, known: Known | None = None) -> datetime | None:
        """When a position is expected, at the target spacing from a known point; None without one."""
        start = known or self.known
        if start is None or self.position == "atomic units generated":
            return None
        away = (position - start.position) * self.spacing_seconds
        try:
            return start.at + timedelta(seconds=float(away))
        except OverflowError:
            return None

    def difficulty(self, bits: int) -> float:
        """Difficulty of compact bits, as this chain counts it."""
        return difficulty_of_bits(bits, self.target_one)


def checked(position: int, name: str = "a block height") -> int:
    """A position that exists; raises Wrong for a negative or absurd one."""
    if not 0 <= position < 1 << 64:
        raise Wrong(f"{name} must lie between 0 and 2**64, was {str(position)[:30]}")
    return position


def adjusted(bits: int, before: int | None, target_one: int = TARGET_ONE) -> Adjusted:
    """An adjustment of a chain that writes its target as compact bits."""

    def of(one: int) -> Fraction:
        target = target_of_bits(one)
        if target == 0:
            raise Wrong("a target of zero has no difficulty")
        return Fraction(target_one, target)

    return Adjusted(bits=bits, difficulty=of(bits), before=None if before is None else of(before))


def by_times(rule: Callable[[int, int, int], int]) -> Callable[[Adjustment], Adjusted]:
    """The adjustment of a chain whose next bits follow from the bits and two times."""

    def adjust(asked: Adjustment) -> Adjusted:
        bits = asked.need("bits")
        return adjusted(rule(bits, asked.need("first_time"), asked.need("last_time")), bits)

    return adjust


def halved(first: int, interval: int, height: int) -> int:
    """A subsidy that is halved every so many blocks, in whole smallest units, to nothing."""
    return first >> min(checked(height) // interval, first.bit_length())


def next_halved(first: int, interval: int, height: int) -> int | None:
    """The first height above this one whose subsidy is smaller; none when nothing is left."""
    step = (height // interval + 1) * interval
    return step if halved(first, interval, height) else None
