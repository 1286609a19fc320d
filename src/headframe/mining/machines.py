"""Types of machine: makers' ratings with their release and how well they are known."""

from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from types import MappingProxyType

from headframe.units import Wrong, refuse


def between(name: str, value: float, low: float, high: float) -> None:
    """Raises Wrong unless a finite value lies between two bounds, both allowed."""
    if not (isfinite(value) and low <= value <= high):
        refuse(f"{name} must lie between {low:g} and {high:g}, was {value:g}")


def plain_name(name: str, value: str | None) -> None:
    """Raises Wrong for a file that is not in the workspace itself."""
    if value is not None and ("/" in value or "\\" in value or value in {"", ".", ".."}):
        refuse(f"{name} must be the plain name of a file in the workspace, was {value[:60]!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A type of machine: terahashes (or tera-solutions) per second and watts at the wall."""

    model: str
    hashrate_ths: float
    power_w: float
    algorithm: str = "SHA-256"
    released: str = ""
    source: str = "given"

    def __post_init__(self) -> None:
        between(f"hashrate of {self.model} in TH/s", self.hashrate_ths, 1e-9, 1e5)
        between(f"power of {self.model} in W", self.power_w, 1.0, 1e6)

    @property
    def joules_per_terahash(self) -> float:
        """Efficiency: watts per terahash per second."""
        return self.power_w / self.hashrate_ths


_READ = "rating read in public listings"
_TOLD = "unverified"
_TABLE = (
    ("Antminer S9", "SHA-256", 13.5, 1323, "2017-11", _READ),
    ("Antminer S17e", "SHA-256", 64, 2880, "2019-11", _READ),
    ("Antminer S19", "SHA-256", 95, 3250, "2020-05", _READ),
    ("Antminer S19 Pro", "SHA-256", 110, 3250, "2020-05", _READ),
    ("Antminer T19", "SHA-256", 84, 3150, "2020-06", _TOLD),
    ("Antminer S19j Pro", "SHA-256", 104, 3068, "2021-06", _READ),
    ("Antminer S19 XP", "SHA-256", 140, 3010, "2022-07", _READ),
    ("Antminer S19k Pro", "SHA-256", 120, 2760, "2023-09", _READ),
    ("Antminer T21", "SHA-256", 190, 3610, "2024-02", _TOLD),
    ("Antminer S21", "SHA-256", 200, 3500, "2024-02", _READ),
    ("Antminer S21 Hyd", "SHA-256", 335, 5360, "2024-02", _READ),
    ("Antminer S21 Pro", "SHA-256", 234, 3510, "2024-07", _READ),
    ("Antminer S21 XP", "SHA-256", 270, 3645, "2024-10", _READ),
    ("Antminer S21 XP Hyd", "SHA-256", 473, 5676, "2024-10", _READ),
    ("Antminer S21e XP Hyd 3U", "SHA-256", 860, 11180, "2025-01", _READ),
    ("Antminer S21+", "SHA-256", 216, 3564, "2025-02", _READ),
    ("Whatsminer M20S", "SHA-256", 68, 3360, "2019-08", _TOLD),
    ("Whatsminer M30S", "SHA-256", 88, 3344, "2020-04", _READ),
    ("Whatsminer M30S+", "SHA-256", 100, 3400, "2020-10", _READ),
    ("Whatsminer M30S++", "SHA-256", 112, 3472, "2020-10", _READ),
    ("Whatsminer M50", "SHA-256", 118, 3422, "2022-07", _READ),
    ("Whatsminer M50S++", "SHA-256", 150, 3300, "2023-02", _TOLD),
    ("Whatsminer M60S", "SHA-256", 186, 3441, "2024-02", _TOLD),
    ("Whatsminer M66", "SHA-256", 276, 5492, "2024-02", _READ),
    ("Whatsminer M66S", "SHA-256", 298, 5513, "2024-02", _TOLD),
    ("Avalon A1246", "SHA-256", 90, 3420, "2021-01", _READ),
    ("Avalon A1466", "SHA-256", 150, 3230, "2023-09", _TOLD),
    ("Avalon A1566", "SHA-256", 185, 3420, "2024-10", _TOLD),
    ("SEALMINER A2", "SHA-256", 226, 3730, "2024-12", _TOLD),
    ("Antminer L7", "Scrypt", 0.0095, 3425, "2021-11", _TOLD),
    ("Antminer L9", "Scrypt", 0.016, 3360, "2024-05", _TOLD),
    ("Antminer KS5 Pro", "kHeavyHash", 21, 3150, "2024-03", _TOLD),
    ("Antminer E9 Pro", "Etchash", 0.00368, 2200, "2023-04", _TOLD),
    ("Antminer Z15 Pro", "Equihash", 8.4e-7, 2780, "2023-06", _TOLD),
    ("Antminer X5", "RandomX", 2.12e-7, 1350, "2023-09", _TOLD),
)
"""Model, algorithm, TH/s, W, release, source: makers' ratings of one variant each."""

KNOWN_MACHINES = MappingProxyType(
    {
        model: Machine(
            model=model,
            algorithm=algorithm,
            hashrate_ths=float(hashrate),
            power_w=float(power),
            released=released,
            source=source,
        )
        for model, algorithm, hashrate, power, released, source in _TABLE
    }
)
"""Well-known machines; a workspace adds its own under ``[[machine]]``."""


def machine_named(model: str, algorithm: str) -> Machine:
    """A known machine that works for an algorithm; Wrong with the nearest name where there is none."""
    found = KNOWN_MACHINES.get(model)
    if found is None:
        near = get_close_matches(model, KNOWN_MACHINES, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(KNOWN_MACHINES)}"
        raise Wrong(f"unknown machine {model[:40]!r}: {hint}")
    if not algorithm.startswith(found.algorithm):
        raise Wrong(f"{model} works on {found.algorithm}, not on {algorithm}")
    return found
