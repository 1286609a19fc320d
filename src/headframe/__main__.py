"""``python -m headframe`` is the same program as ``headframe``."""

from headframe.cli import main

if __name__ == "__main__":
    main()
