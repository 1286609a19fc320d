"""A large size in clips: even parts, none above the most that is asked at once."""

from decimal import ROUND_CEILING, Decimal

STEP = Decimal("0.1")
"""Sizes are multiples of a tenth of a coin."""


def next_clip(left: Decimal, most: Decimal | None) -> Decimal:
    """Coins of the next clip of what is left: as few clips as ``most`` allows, of even size.

    Even parts leave no tail too small to be asked. All of it where there is no most or it fits.

    Examples:
        >>> next_clip(Decimal("100.0"), Decimal("30"))
        Decimal('25.0')
        >>> next_clip(Decimal("20.0"), Decimal("30"))
        Decimal('20.0')
    """
    if most is None or left <= most:
        return left
    count = (left / most).to_integral_value(ROUND_CEILING)
    return min((left / count).quantize(STEP, rounding=ROUND_CEILING), most)
