"""File names as a client sent them: made safe to show, to list and to use as a key."""

MAX_CHARS = 255
MAX_QUOTED_CHARS = 64
_HEAD, _TAIL = 200, 54  # of a name that is too long: its ending says what it is
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(name: str) -> str:
    """Returns `name` with control characters replaced, those that turn the direction of writing too, and cut to 255."""
    if not name.isprintable():
        name = "".join(char if char.isprintable() else _REPLACEMENT for char in name)
    return name if len(name) <= MAX_CHARS else f"{name[:_HEAD]}…{name[-_TAIL:]}"


def base(path: str) -> str:
    """Returns the last part of a path of Unix or Windows, cleaned; "unnamed" where nothing is left of it."""
    name = clean(path.replace("\\", "/").rpartition("/")[2].strip())
    return name if name not in ("", ".", "..") else "unnamed"


def quoted(name: str) -> str:
    """Returns `name` for a text that people read: cleaned, short, in quotation marks; their letters stay letters."""
    shown = clean(name)
    return f'"{shown}"' if len(shown) <= MAX_QUOTED_CHARS else f'"{shown[:MAX_QUOTED_CHARS]}…"'
