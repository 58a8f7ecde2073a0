"""Security headers, and a content security policy without inline script."""

from collections.abc import Iterable

Headers = Iterable[tuple[bytes, bytes]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# Swagger UI and ReDoc write style elements, and ReDoc searches in a worker.
DOCS_POLICY = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'") + "; worker-src blob:"
DOCS = ("/docs", "/redoc")
NOSNIFF = (b"x-content-type-options", b"nosniff")
POLICY_NAME = b"content-security-policy"
PAGE = (
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


def page_headers(headers: Headers, path: str) -> Headers:
    """Returns what a page needs; nothing for other responses, because an API client reads none of it.

    A page with a policy of its own keeps that one alone: of two a browser would enforce both.
    """
    given = dict(headers)
    if not given.get(b"content-type", b"").startswith(b"text/html"):
        return ()
    if POLICY_NAME in given:
        return PAGE
    policy = DOCS_POLICY if path in DOCS else POLICY
    return (*PAGE, (POLICY_NAME, policy.encode("ascii")))
