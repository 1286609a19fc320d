"""What is read from outside: who acts and with what, where things are, secrets, the machine's time."""

import os
import time
from dataclasses import replace
from pathlib import Path

from headframe.codec import Settings, VenueSettings


def user_name(given: str | None) -> str:
    """Who acts: ``--as``, else HEADFRAME_USER, else treasurer."""
    return given or os.environ.get("HEADFRAME_USER", "") or "treasurer"


def token_given() -> str | None:
    """The token to act with: HEADFRAME_TOKEN."""
    return os.environ.get("HEADFRAME_TOKEN", "") or None


def source_url(name: str) -> str | None:
    """Where a source of facts is: HEADFRAME_<name>_URL, which may carry a user and a password."""
    return os.environ.get(f"HEADFRAME_{name}_URL", "") or None


def secret_at(source: str, folder: Path) -> str:
    """A secret from where the settings say it is kept; nothing where they name none."""
    from headframe.venue import secret_from  # noqa: PLC0415 - start-up time

    return secret_from(source, os.environ, folder) if source else ""


def colours_wanted() -> bool:
    """Whether the environment leaves colours on: NO_COLOR (no-color.org) turns them off."""
    return not os.environ.get("NO_COLOR")


def database_url(given: str | None) -> str | None:
    """Where the journal is: ``--database``, else HEADFRAME_DATABASE, else in the workspace."""
    return given or os.environ.get("HEADFRAME_DATABASE", "") or None


def password_hash(word: str) -> str:
    """A password as argon2id (RFC 9106)."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - start-up time

    return str(PasswordHasher().hash(word))


def password_fits(hashed: str, word: str) -> bool:
    """Whether a password is the one that was hashed."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - start-up time
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415

    try:
        return bool(PasswordHasher().verify(hashed, word))
    except (Argon2Error, InvalidHashError):
        return False


def unix_time() -> float:
    """Seconds since 1970 by this machine's clock."""
    return time.time()


def main_venue(settings: Settings) -> VenueSettings:
    """The first venue; HEADFRAME_VENUE_URL, _HTTP_URL and _CLIENT_ID come before the settings."""
    one = settings.venue
    return replace(
        one,
        url=os.environ.get("HEADFRAME_VENUE_URL", "") or one.url,
        http_url=os.environ.get("HEADFRAME_VENUE_HTTP_URL", "") or one.http_url,
        client_id=os.environ.get("HEADFRAME_VENUE_CLIENT_ID", "") or one.client_id,
    )
