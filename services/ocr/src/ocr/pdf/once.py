"""A process that calls one function of ours and ends: `python -m ocr.pdf.once DESCRIPTOR START`; START is JSON."""

import importlib
import socket
import sys
from typing import Any

import msgspec

from ocr.pdf import limits
from ocr.pdf.messages import Failed
from ocr.pdf.wire import Wire

MAX_TEXT = 500


class Once(msgspec.Struct, frozen=True):
    """`file_bytes` is how large a file may become that it writes."""

    parent: int
    function: str  # "package.module:name"
    memory_bytes: int
    file_bytes: int
    cpu_s: float


class Done(msgspec.Struct, frozen=True, tag="done"):
    value: Any


def main(descriptor: str, start_json: str) -> None:
    start = msgspec.json.decode(start_json, type=Once)
    limits.end_with_parent(start.parent)
    module, _, name = start.function.partition(":")
    function = getattr(importlib.import_module(module), name)
    limits.restrict(start.memory_bytes, start.file_bytes)
    limits.allow_cpu(start.cpu_s)
    wire = Wire(socket.socket(fileno=int(descriptor)))
    wire.send(b"")  # ready
    arguments, _ = wire.receive(start.memory_bytes)
    wire.send(msgspec.msgpack.encode(_call(function, msgspec.msgpack.decode(arguments))))


def _call(function: Any, arguments: list[Any]) -> Done | Failed:
    try:
        return Done(function(*arguments))
    except MemoryError:
        return Failed("too-large", "it takes more memory than it may")
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
        return Failed("error", f"{type(error).__name__}: {error}"[:MAX_TEXT])


if __name__ == "__main__":
    main(*sys.argv[1:])
