"""Where in a TOML text each key stands, so that a problem can name its line."""

import re

Place = tuple[str | int, ...]
_HEADER = re.compile(r"\s*(\[{1,2})\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[A-Za-z0-9_-]+)\s*(?:\.\s*[A-Za-z0-9_-]+\s*)*=""")
_TRIPLE = ('"' * 3, "'" * 3)


def locate(text: str) -> dict[Place, int]:
    """Line of each table, array item and key, counted from 1, by its path."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    here: Place = ()
    quoted = False
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        fences = sum(line.count(mark) for mark in _TRIPLE)
        if quoted or depth > 0:
            quoted = quoted != (fences % 2 == 1)
            depth += 0 if quoted else _open(line)
            continue
        header = _HEADER.match(line)
        key = _KEY.match(line)
        if header:
            here = _table(header, counts)
            lines.setdefault(here, number)
        elif key:
            lines.setdefault((*here, key[1].strip("\"'")), number)
            depth = max(_open(line), 0)
            quoted = fences % 2 == 1
    return lines


def _open(line: str) -> int:
    bare = re.sub(r'"[^"]*"|\'[^\']*\'|#.*', "", line)
    return bare.count("[") - bare.count("]") + bare.count("{") - bare.count("}")


def _table(header: re.Match[str], counts: dict[Place, int]) -> Place:
    """The path of a table; an item of an array of tables ends in its index."""
    path: Place = ()
    names = [name.strip().strip("\"'") for name in header[2].split(".")]
    for name in names[:-1]:
        path = (*path, name)
        if path in counts:
            path = (*path, counts[path] - 1)
    path = (*path, names[-1])
    if header[1] == "[[":
        counts[path] = counts.get(path, 0) + 1
        path = (*path, counts[path] - 1)
    return path
