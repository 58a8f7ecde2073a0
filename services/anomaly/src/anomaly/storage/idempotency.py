"""`Idempotency-Key` after the IETF draft httpapi-idempotency-key-header: at most one effect, the same answer again."""

import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from servicekit.auth import client_name
from servicekit.prefix import route_path
from starlette.requests import Request

from anomaly.problems import IdempotencyKeyInUse, IdempotencyKeyInvalid, IdempotencyKeyReused
from anomaly.storage import schema
from anomaly.storage.reply import Reply

HEADER = "idempotency-key"
REPLAYED = {"Idempotency-Replayed": "true"}
MAX_KEY_CHARS = 255
RETRY_SOON = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's key, and the fingerprint of the request that it stands for."""

    client: str
    key: str
    fingerprint: str

    @classmethod
    def of(cls, request: Request, body: bytes) -> "Idempotency | None":
        """Reads the optional header; raises IdempotencyKeyInvalid unless it is one line of 1 to 255 visible ASCII."""
        keys = request.headers.getlist(HEADER)
        if not keys:
            return None
        key = keys[0]
        if len(keys) > 1 or not 0 < len(key) <= MAX_KEY_CHARS or not all("!" <= char <= "~" for char in key):
            raise IdempotencyKeyInvalid(
                f"Idempotency-Key must be one header of 1 to {MAX_KEY_CHARS} visible ASCII characters without spaces"
            )
        return cls(client_name(request), key, _fingerprint(request, body))


def _fingerprint(request: Request, body: bytes) -> str:
    path = route_path(request.scope, request.scope.get("root_path", ""))  # the same at the gateway and directly
    head = f"{request.method} {path}?{request.url.query}\n".encode("utf-8", "surrogateescape")
    return hashlib.sha256(head + hashlib.sha256(body).digest()).hexdigest()


class KeysInUse:
    """The keys whose first request has not been answered; the caller holds the ledger's lock."""

    def __init__(self) -> None:
        self._fingerprints: dict[tuple[str, str], str] = {}

    def take(self, idempotency: Idempotency | None) -> None:
        """Raises IdempotencyKeyInUse or IdempotencyKeyReused while another request holds the key."""
        if idempotency is None:
            return
        place = (idempotency.client, idempotency.key)
        if place in self._fingerprints:
            _refuse_other(idempotency, self._fingerprints[place])
            raise IdempotencyKeyInUse(
                "the first request with this Idempotency-Key is still running", headers=RETRY_SOON
            )
        self._fingerprints[place] = idempotency.fingerprint

    def give_back(self, idempotency: Idempotency | None) -> None:
        if idempotency is not None:
            self._fingerprints.pop((idempotency.client, idempotency.key), None)


def recall(connection: sa.Connection, idempotency: Idempotency | None) -> Reply | None:
    """Returns the stored answer, marked as replayed, or None; raises IdempotencyKeyReused for another request's key."""
    if idempotency is None:
        return None
    table = schema.idempotency
    query = sa.select(table).where(table.c.client == idempotency.client, table.c.key == idempotency.key)
    row = connection.execute(query).first()
    if row is None:
        return None
    _refuse_other(idempotency, row.fingerprint)
    return Reply(row.status, bytes(row.body), row.media_type, {**row.headers, **REPLAYED})


def remember(connection: sa.Connection, idempotency: Idempotency | None, reply: Reply, now_ms: int) -> None:
    """Stores the answer in the transaction of its effect."""
    if idempotency is None:
        return
    connection.execute(
        sa.insert(schema.idempotency).values(
            client=idempotency.client,
            key=idempotency.key,
            fingerprint=idempotency.fingerprint,
            status=reply.status,
            media_type=reply.media_type,
            headers=dict(reply.headers),
            body=reply.body,
            created_ms=now_ms,
        )
    )


def _refuse_other(idempotency: Idempotency, fingerprint: str) -> None:
    if idempotency.fingerprint != fingerprint:
        raise IdempotencyKeyReused("this Idempotency-Key was used for another method, path, query or body")
