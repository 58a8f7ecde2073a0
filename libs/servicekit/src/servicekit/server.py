"""Runs an application the way every service runs: one process, httptools and uvloop, draining on SIGTERM."""

import errno
import gc
import socket
import sys

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from servicekit import logs
from servicekit.drain import Drain, DrainingServer
from servicekit.protocol import LimitedProtocol
from servicekit.settings import ServiceSettings, refuse

LINKS = {"page": "/", "docs": "/docs", "health": "/health"}
KEEP_ALIVE_S = 75  # longer than a proxy's idle connections live, so that the proxy is the one that closes


def bind(settings: ServiceSettings) -> socket.socket:
    """Returns a bound socket, or ends the process with one line: before anything slow is done."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    prefix = settings.model_config.get("env_prefix", "")
    try:
        listener.bind((settings.host, settings.port))
        listener.listen()  # two that start at once may both bind, only one may listen
    except OSError as error:
        listener.close()
        taken = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror or error})"
        refuse(f"{settings.host} port {settings.port} {taken}: set {prefix}HOST or {prefix}PORT")
    listener.set_inheritable(False)
    return listener


def run(
    app: ASGIApp, settings: ServiceSettings, listener: socket.socket, drain: Drain, *, sockets: bool = False
) -> int:
    """Serves until a signal, WebSockets too where `sockets` says so; returns the exit status, 0 for an orderly end."""
    logs.configure(settings.log_level)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=LimitedProtocol,
        ws="servicekit.socket_protocol:SocketProtocol" if sockets else "none",
        ws_max_size=settings.socket_max_bytes,
        ws_ping_interval=settings.socket_ping_s,
        ws_ping_timeout=settings.socket_ping_s,
        ws_per_message_deflate=False,  # pictures are compressed already, and a bomb would be inflated
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # each service looks for itself, where it has read the headers anyway
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.shutdown_s,
    )
    gc.collect()
    gc.freeze()  # what start-up made stays: the collector need not walk it again
    try:
        DrainingServer(config, drain, settings.drain_s).run(sockets=[listener])
    except SystemExit as end:
        return 1 if end.code == STARTUP_FAILURE else int(end.code or 0)
    return 0


def address(settings: ServiceSettings, listener: socket.socket) -> str:
    """Returns the base URL that a person on this machine can open."""
    host = settings.host if settings.host not in ("0.0.0.0", "::") else "localhost"  # noqa: S104 - only compared
    return f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"


def announce(title: str, base: str, links: dict[str, str]) -> None:
    """Prints where to go, for the person who started it; logs go to standard error."""
    print(f"{title} on {base}", *(f"  {name:<8}{base}{path}" for name, path in links.items()), sep="\n", flush=True)
    sys.stdout.flush()
