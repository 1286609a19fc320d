"""The command line: ``headframe COMMAND``. Data on stdout, talk on stderr."""

import sys

from headframe.cli.index import answer_at_once

__all__ = ["main"]


def main() -> None:
    """Run the command that was typed; the page of commands and the version come at once."""
    text = answer_at_once(sys.argv[1:])
    if text is not None:
        sys.stdout.write(text)
        return
    from headframe.cli.app import run

    run()
