"""How domain values are written as JSON and TOML and read back, in one place."""

from headframe.codec.canonical import canonical, sha256
from headframe.codec.locate import locate
from headframe.codec.settings import (
    Problem,
    Settings,
    VenueSettings,
    WorkspaceSettings,
    read_counterparties,
    read_mandate,
    read_settings,
)
from headframe.codec.values import from_json, to_json

__all__ = [
    "Problem",
    "Settings",
    "VenueSettings",
    "WorkspaceSettings",
    "canonical",
    "from_json",
    "locate",
    "read_counterparties",
    "read_mandate",
    "read_settings",
    "sha256",
    "to_json",
]
