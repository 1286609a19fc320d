"""Builds a desk from a folder and settings: the only room that knows every adapter."""

from headframe.wiring.environment import (
    colours_wanted,
    database_url,
    main_venue,
    password_fits,
    password_hash,
    secret_at,
    source_url,
    token_given,
    user_name,
)
from headframe.wiring.lines import (
    MEMORY,
    by_voice,
    credentials_of,
    depths,
    street_served,
    trading,
    venue_client,
)
from headframe.wiring.routes import alert_routes
from headframe.wiring.venue_prices import (
    compare_with_venue,
    price_fetcher,
    public_url,
    settlements_there,
)
from headframe.wiring.workspaces import (
    audit_office,
    back_up,
    create_office,
    fork_office,
    has_workspace,
    keep_checkpoint,
    open_office,
    restore,
)

__all__ = [
    "MEMORY",
    "alert_routes",
    "audit_office",
    "back_up",
    "by_voice",
    "colours_wanted",
    "compare_with_venue",
    "create_office",
    "credentials_of",
    "database_url",
    "depths",
    "fork_office",
    "has_workspace",
    "keep_checkpoint",
    "main_venue",
    "open_office",
    "password_fits",
    "password_hash",
    "price_fetcher",
    "public_url",
    "restore",
    "secret_at",
    "settlements_there",
    "source_url",
    "street_served",
    "token_given",
    "trading",
    "user_name",
    "venue_client",
]
