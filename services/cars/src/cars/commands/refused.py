"""What is wrong with one file, while the others may be good."""


class RefusedError(Exception):
    """Says why; the import goes on."""
