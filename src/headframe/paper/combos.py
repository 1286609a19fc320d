"""Combinations with a book of their own: made once from legs, dealt whole at a net price.

A combination's legs have no common factor, and one orientation whoever made it: the leg that expires last and
has the highest strike is bought. Buying it deals its legs as they are signed, selling it the other way round;
its price may be zero or negative.
"""

from math import gcd

from headframe.instrument import Instrument, Kind, parse_instrument
from headframe.paper.memory import StreetMemory
from headframe.paper.rpc import Json, Params, RpcError, invalid
from headframe.paper.world import Combined, Listed, World

MOST_LEGS, MOST_COMBOS = 4, 500
_STATES = ("active", "inactive", "any")


class Combos:
    """The combinations of the street, kept as everything it remembers."""

    def __init__(self, world: World, memory: StreetMemory) -> None:
        self._world = world
        self._memory = memory
        for row in memory.combos:
            self._list(row)

    def create(self, params: Params) -> Json:
        """private/create_combo: the combination of these trades, new or known."""
        rows = params.rows("trades", MOST_LEGS)
        if len(rows) < 2:
            raise invalid("trades", f"2 to {MOST_LEGS} legs")
        legs = _oriented([self._leg(row) for row in rows])
        name = _name(legs)
        known = self._world.combos.get(name)
        if known is None:
            if len(self._memory.combos) >= MOST_COMBOS:
                raise RpcError(13035, "too_many_active_combos")
            row: Json = {
                "combo": name,
                "created": self._world.now_ms(),
                "legs": [[one.name, ratio] for one, ratio in legs],
            }
            self._memory.keep_combo(row)
            known = self._list(row)
        return self.details(known)

    def _leg(self, row: Params) -> tuple[Instrument, int]:
        one = self._world.find(row.text("instrument_name"))
        if one.perpetual:
            raise invalid("instrument_name", "is no leg of a combination here")
        steps = row.number("amount") / one.rules.least
        if steps < 1.0 or abs(steps - round(steps)) > 1e-6:
            raise invalid("amount", f"in steps of {one.rules.least:g}")
        side = row.choice("direction", ("buy", "sell"))
        return one.terms, round(steps) * (1 if side == "buy" else -1)

    def _list(self, row: Json) -> Listed:
        legs = tuple((str(name), int(ratio)) for name, ratio in row["legs"])
        terms = [parse_instrument(name) for name, _ in legs]
        first = min(terms, key=lambda one: one.expiry)
        number = 100_000 + len(self._world.combos)
        made = Listed(str(row["combo"]), first, number, Combined(legs, int(row["created"])))
        self._world.combos[made.name] = made
        return made

    def details(self, one: Listed) -> Json:
        """A combination as the venue shows it."""
        assert one.combined is not None
        return {
            "id": one.name,
            "instrument_id": one.number,
            "state": "active" if one.terms.expiry > self._world.clock.now() else "inactive",
            "creation_timestamp": one.combined.created_ms,
            "state_timestamp": one.combined.created_ms,
            "legs": [{"instrument_name": name, "amount": ratio} for name, ratio in one.legs],
        }

    def of(self, params: Params) -> Json:
        """public/get_combo_details."""
        found = self._world.combos.get(params.text("combo_id"))
        if found is None:
            raise invalid("combo_id", "is not known")
        return self.details(found)

    def every(self, params: Params) -> list[Json]:
        """public/get_combos: those that can be dealt."""
        coin = params.text("currency", "any")
        shown = [self.details(one) for one in self._world.combos.values()]
        mine = coin in {"any", self._world.snapshot.coin}
        return [one for one in shown if mine and one["state"] == "active"]

    def ids(self, params: Params) -> list[str]:
        """public/get_combo_ids."""
        wanted = params.choice("state", _STATES, "any")
        shown = [self.details(one) for one in self._world.combos.values()]
        return [str(one["id"]) for one in shown if wanted in {"any", one["state"]}]


def _oriented(legs: list[tuple[Instrument, int]]) -> list[tuple[Instrument, int]]:
    """Legs in one order with one sign, whoever named them and how many of them."""
    if len({one.name for one, _ in legs}) != len(legs):
        raise invalid("trades", "each instrument once")
    if len({one.settled_in for one, _ in legs}) != 1:
        raise invalid("trades", "legs of one settlement currency")
    if len({one.is_option for one, _ in legs}) != 1:
        raise invalid("trades", "options, or futures")
    ordered = sorted(
        legs, key=lambda leg: (leg[0].expiry, leg[0].strike or 0, leg[0].kind), reverse=True
    )
    common = gcd(*(abs(ratio) for _, ratio in ordered)) * (1 if ordered[0][1] > 0 else -1)
    return [(one, ratio // common) for one, ratio in ordered]


def _name(legs: list[tuple[Instrument, int]]) -> str:
    """As the venue names them: coin, what it is, expiries, strikes; ratios where they are not one."""
    coin = legs[0][0].coin
    days = list(dict.fromkeys(one.name.split("-")[1] for one, _ in legs))
    strikes = list(dict.fromkeys(f"{one.strike:f}" for one, _ in legs if one.strike is not None))
    ratios = [abs(ratio) for _, ratio in legs]
    words = [coin, _code(legs), "_".join(days), "_".join(strikes[::-1])]
    if set(ratios) != {1}:
        words.append("x".join(str(one) for one in ratios))
    return "-".join(word for word in words if word)


def _code(legs: list[tuple[Instrument, int]]) -> str:
    kinds = {one.kind for one, _ in legs}
    sides = {ratio > 0 for _, ratio in legs}
    if kinds == {Kind.FUTURE}:
        return "FS"
    letters = "".join(
        ("P" if one.kind is Kind.PUT else "C") if ratio > 0 else
        ("p" if one.kind is Kind.PUT else "c")
        for one, ratio in legs
    )  # fmt: skip
    several = len({one.expiry for one, _ in legs}) > 1
    if len(legs) != 2 or several:
        return f"CUS{letters}"
    if len(kinds) == 2:
        return "STRG" if len(sides) == 1 else "RR" if letters in {"Cp", "Pc"} else f"CUS{letters}"
    return ("PS" if kinds == {Kind.PUT} else "CS") if len(sides) == 2 else f"CUS{letters}"
