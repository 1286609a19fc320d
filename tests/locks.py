"""Check that a lock is closed: each requirement of each locked package is met by an entry of the same lock.

Otherwise pip, in hash mode, looks for the newest release of what is missing and refuses it.
``python -m locks LOCK [SITE_PACKAGES]`` checks another environment than the one that runs.
"""

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True)
class Entry:
    """A pinned package that applies to this Python and platform."""

    version: str
    extras: frozenset[str]


def read_entries(text: str) -> dict[str, Entry]:
    """Return the entries of a lock that apply here, by canonical name."""
    entries: dict[str, Entry] = {}
    for line in re.findall(r"^[A-Za-z0-9].*", text, re.MULTILINE):
        requirement = Requirement(line.removesuffix("\\").strip())
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        (pin,) = requirement.specifier
        assert pin.operator == "==", f"{line}: not pinned"
        entries[canonicalize_name(requirement.name)] = Entry(
            pin.version, frozenset(map(canonicalize_name, requirement.extras))
        )
    return entries


def unmet(requirement: str, entries: dict[str, Entry], extras: Iterable[str] = ()) -> str:
    """Return why a requirement, under these extras, is not met by the entries; empty if it is."""
    wanted = Requirement(requirement)
    if wanted.marker is not None and not any(
        wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras)
    ):
        return ""
    entry = entries.get(canonicalize_name(wanted.name))
    if entry is None:
        return f"{requirement}: not in the lock"
    if not wanted.specifier.contains(entry.version, prereleases=True):
        return f"{requirement}: the lock has {entry.version}"
    missing = {canonicalize_name(extra) for extra in wanted.extras} - entry.extras
    return f"{requirement}: the lock lacks [{','.join(sorted(missing))}]" if missing else ""


def installed(path: list[str] | None = None) -> dict[str, Distribution]:
    """Return the installed distributions by canonical name."""
    each = distributions() if path is None else distributions(path=path)
    return {canonicalize_name(one.metadata["Name"]): one for one in each}


def faults(entries: dict[str, Entry], packages: dict[str, Distribution]) -> list[str]:
    """Return every package that is absent or of another version, and every requirement not met."""
    messages: list[str] = []
    for name, entry in entries.items():
        package = packages.get(name)
        if package is None or package.version != entry.version:
            messages.append(f"{name}=={entry.version}: not what is installed")
            continue
        reasons = (unmet(each, entries, entry.extras) for each in package.requires or ())
        messages += [f"{name} requires {reason}" for reason in reasons if reason]
    return messages


def main() -> int:
    """Print the faults of a lock; exit 1 if there are any."""
    lock, *site = sys.argv[1:]
    entries = read_entries(Path(lock).read_text())
    messages = faults(entries, installed(site or None))
    sys.stdout.write(
        "\n".join(messages or [f"{lock}: {len(entries)} packages, all requirements met"]) + "\n"
    )
    return bool(messages)


if __name__ == "__main__":
    sys.exit(main())
