"""The one exception of the core: a value that cannot be what it claims to be."""


class Wrong(ValueError):
    """What was found and what is allowed, in one line a person can act on."""
