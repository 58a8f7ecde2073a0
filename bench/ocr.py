"""CPU of a picture and accuracy by group against `rapidocr`, each in a process of its own, picture by picture in turn.

What the figures mean is told in `bench/scores_ocr.py`; "upright" are all groups but the turned.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from bench import pictures_ocr, readers_ocr
from bench.peers_ocr import Pythons
from bench.pictures_ocr import TURNED, Sample
from bench.readers_ocr import Answer
from bench.report import Row
from bench.scores_ocr import Score, score

NEEDS_DATA = True
NEEDS_RAPIDOCR = True
CPU_RATIO, CPU_AIM = 0.7, 0.6
ERROR_RATE, F1 = 0.019, 0.87
OURS, PEER = "ours", "rapidocr"

Scores = dict[str, Score]


def measure(data: str, pythons: Pythons) -> Iterator[Row]:
    samples = pictures_ocr.samples(data)
    answers = _read(samples, pythons)
    yield from _cpu(answers)
    scores = {name: _by_group(samples, read) for name, read in answers.items()}
    yield from _goals(scores[OURS])
    for group in scores[OURS]:
        yield from _compared(group, scores[OURS][group], scores.get(PEER, {}).get(group))


def _read(samples: list[Sample], pythons: Pythons) -> dict[str, list[Answer]]:
    with ExitStack() as stack:
        engines = {OURS: stack.enter_context(readers_ocr.start(OURS))}
        if pythons.rapidocr:
            engines[PEER] = stack.enter_context(readers_ocr.start(PEER, pythons.rapidocr))
        answers: dict[str, list[Answer]] = {name: [] for name in engines}
        for sample in samples:
            for name, engine in engines.items():
                answers[name].append(engine.read(sample.path))
    return answers


def _cpu(answers: Mapping[str, list[Answer]]) -> Iterator[Row]:
    seconds = {name: sum(answer.cpu_s for answer in read) for name, read in answers.items()}
    what = f"CPU of {len(answers[OURS])} pictures, ours / rapidocr"
    if PEER in seconds:
        ratio = seconds[OURS] / seconds[PEER]
        yield Row(what, ratio, f"at most {CPU_RATIO}, aim at {CPU_AIM}", ratio <= CPU_RATIO)
    else:
        yield Row(what, None, "skipped: no Python with rapidocr, give --rapidocr-python", None)
    for name, total in seconds.items():
        yield Row(f"CPU seconds of a picture, {name}", total / len(answers[name]), "for the record", None)


def _by_group(samples: list[Sample], answers: list[Answer]) -> Scores:
    scores: defaultdict[str, Score] = defaultdict(Score)
    for sample, answer in zip(samples, answers, strict=True):
        for group in {"all", sample.group, TURNED if sample.group == TURNED else "upright"}:
            scores[group] += score(sample.lines, answer.lines)
    return dict(sorted(scores.items()))


def _goals(ours: Scores) -> Iterator[Row]:
    rate, f1, turned = ours["upright"].error_rate, ours["all"].f1, ours[TURNED].error_rate
    yield Row("character error rate of upright pictures", rate, f"at most {ERROR_RATE}", rate <= ERROR_RATE)
    yield Row("word F1 of all pictures", f1, f"at least {F1}", f1 >= F1)
    yield Row(
        "character error rate of turned pictures", turned, f"at most the upright ones' {rate:.3f}", turned <= rate
    )


def _compared(group: str, ours: Score, peer: Score | None) -> Iterator[Row]:
    rate, f1 = f"character error rate, {group}", f"word F1, {group}"
    if peer is None:
        yield Row(rate, ours.error_rate, "nothing to compare with", None)
        yield Row(f1, ours.f1, "nothing to compare with", None)
        return
    goal = f"at most rapidocr's {peer.error_rate:.3f}"
    yield Row(rate, ours.error_rate, goal, ours.error_rate <= peer.error_rate)
    yield Row(f1, ours.f1, f"at least rapidocr's {peer.f1:.3f}", ours.f1 >= peer.f1)
