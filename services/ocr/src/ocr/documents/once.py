"""One call of a function of ours in a process with limits, for what handles files that a client sent."""

from typing import Any, Literal

import msgspec

from ocr.documents.process import Process, ProcessEnded
from ocr.pdf.messages import Failed
from ocr.pdf.once import Done, Once

FailureKind = Literal["error", "time", "memory", "died"]
MAX_ANSWER_BYTES = 67_108_864
_answers: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Done | Failed)


class LimitedFailure(Exception):  # noqa: N818 - the function's, not ours
    """`kind` is error (the function raised), time, memory, or died."""

    def __init__(self, kind: FailureKind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def run_limited(function: str, *arguments: Any, seconds: float, memory_bytes: int, file_bytes: int = 0) -> Any:
    """Returns what `package.module:name` returns for these arguments; both are what MessagePack can carry.

    It may take so many seconds and bytes of address space, and write files of up to `file_bytes`; raises LimitedFailure
    where it takes more, or fails.
    """
    try:
        process = Process("ocr.pdf.once", lambda parent: Once(parent, function, memory_bytes, file_bytes, seconds))
    except ProcessEnded as ended:
        raise LimitedFailure("died", f"the process ended at its start {ended}: {ended.said[-300:]}") from None
    try:
        answer, _ = process.ask(msgspec.msgpack.encode(arguments), seconds, MAX_ANSWER_BYTES)
    except TimeoutError:
        raise LimitedFailure("time", f"it takes more than {seconds:g} s") from None
    except ProcessEnded as ended:
        raise LimitedFailure("died", f"its process ended {ended}") from None
    finally:
        process.close()
    return _value(_answers.decode(answer))


def _value(answer: Done | Failed) -> Any:
    if isinstance(answer, Done):
        return answer.value
    raise LimitedFailure("memory" if answer.kind == "too-large" else "error", answer.text)
