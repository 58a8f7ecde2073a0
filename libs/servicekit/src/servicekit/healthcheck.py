"""`python -m servicekit.healthcheck URL`: exit 0 when it answers 200, else 1. A container needs no curl."""

import sys
import urllib.error
import urllib.request

TIMEOUT_S = 3


def check(url: str) -> str | None:
    """Returns None when `url` answers 200, else the reason."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the container's proxy is not for itself
    try:
        with opener.open(url, timeout=TIMEOUT_S) as response:
            return None if response.status == 200 else f"{url} answered {response.status}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{url} answered {error.code}"
    except (OSError, ValueError) as error:
        return f"{url}: {error}"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m servicekit.healthcheck URL", file=sys.stderr)
        return 2
    reason = check(arguments[0])
    if reason:
        print(reason, file=sys.stderr)
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
