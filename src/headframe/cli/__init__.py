"""The command line: ``headframe COMMAND``. Data on stdout, talk on stderr."""

from headframe.cli.app import main

__all__ = ["main"]
