"""Labels and scores that nobody vouches for."""

import json
from typing import Any

import pytest
from cars.backends.hub_answer import candidates, shares
from cars.backends.hub_fate import RemoteError
from cars.labels import LABELS
from cars.problems import BackendAnswerInvalid
from cars.recognition import Candidate, Share
from hub import CARS, IMAGENET
from hypothesis import given
from hypothesis import strategies as st


def read(answer: Any) -> tuple[Candidate, ...]:
    return candidates(json.dumps(answer).encode())


def test_a_list_of_labels_and_scores_is_read_the_most_certain_first() -> None:
    found = read(CARS[::-1])
    assert found[0] == Candidate("Tesla Model S Sedan 2012", "Tesla", "Model S", "Sedan", 2012, 0.7)
    assert [each.confidence for each in found] == [0.7, 0.15, 0.1, 0.03, 0.02]


def test_a_list_in_a_list_is_the_same() -> None:
    assert read([CARS]) == read(CARS)


def test_fields_that_are_not_known_are_passed_over() -> None:
    assert read([{"label": "Acura TL Sedan 2012", "score": 1, "box": [1], "index": 3}])[0].confidence == 1.0


def test_the_labels_of_imagenet_stay_as_they_are_and_no_make_is_invented() -> None:
    found = read(IMAGENET)
    assert found[0] == Candidate("sports car, sport car", None, None, None, None, 0.9)
    assert shares(found) == (None, None, None, None)


@pytest.mark.parametrize(
    "label", ["LABEL_12", "minivan", "2012", "Tesla 2012", "Model T", "_", "a 0000", "tabby 99999"]
)
def test_a_label_that_is_no_car_gets_no_make(label: str) -> None:
    assert read([{"label": label, "score": 0.5}])[0] == Candidate(label, None, None, None, None, 0.5)


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("Acura_Integra_Type_R_2001", ("Acura", "Integra Type R", None, 2001)),
        ("AM General  Hummer SUV 2000", ("AM General", "Hummer", "SUV", 2000)),
        ("Kia Sorento SUV 2020", ("Kia", "Sorento", "SUV", 2020)),
    ],
)
def test_the_style_of_stanford_cars_is_understood_for_other_cars_too(
    label: str, told: tuple[str, str, str | None, int]
) -> None:
    found = read([{"label": label, "score": 0.5}])[0]
    assert (found.label, found.make, found.model, found.body, found.year) == (label, *told)


def test_each_of_the_shipped_names_is_understood() -> None:
    for label in LABELS:
        found = read([{"label": label.name, "score": 0.5}])[0]
        assert (found.make, found.model, found.body, found.year) == (label.make, label.model, label.body, label.year)


def test_what_classes_share_is_summed_and_the_model_is_one_of_the_make() -> None:
    made = [
        ("Tesla Model S Sedan 2012", 0.3),
        ("Audi A5 Coupe 2012", 0.25),
        ("Audi S4 Sedan 2007", 0.2),
        ("Audi A5 Sedan 2012", 0.125),
        ("tabby", 0.1),
    ]
    found = shares(read([{"label": label, "score": score} for label, score in made]))
    assert found.make == Share("Audi", 0.575)
    assert found.model == Share("A5", 0.375)
    assert found.body == Share("Sedan", 0.625)
    assert found.year == Share(2012, 0.675)


def test_a_sum_is_never_more_than_1() -> None:
    sigmoids = [{"label": f"Audi A{n} Sedan 2012", "score": 0.9} for n in range(1, 9)]
    assert shares(read(sigmoids)).make == Share("Audi", 1.0)


def test_a_score_that_rounding_put_above_1_is_1() -> None:
    assert read([{"label": "a", "score": 1.0000001}])[0].confidence == 1.0


def test_control_characters_in_a_label_are_replaced() -> None:
    assert read([{"label": "a\x1b\u202eb\n", "score": 1}])[0].label == "a\ufffd\ufffdb\ufffd"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no list"),
        (b"<html>", "no list"),
        (b'[{"label":"a","score":0.', "no list"),
        (b'[{"label":"a","score":NaN}]', "no list"),
        (b'[{"label":"a","score":Infinity}]', "no list"),
        (b'[{"label":"a","score":1e999}]', "no list"),
        (b'[{"label":"a","score":-0.1}]', "score -0.1"),
        (b'[{"label":"a","score":1.1}]', "score 1.1"),
        (b'[{"label":"a","score":17.3}]', "score 17.3"),
        (b'[{"label":"a","score":"0.5"}]', "no list"),
        (b'[{"label":"a","score":true}]', "no list"),
        (b'[{"label":"a","score":null}]', "no list"),
        (b'[{"label":"a"}]', "no list"),
        (b'[{"score":0.5}]', "no list"),
        (b'[{"label":7,"score":0.5}]', "no list"),
        (b'[{"label":"\\ud800","score":0.5}]', "no list"),
        (b'[{"label":"\xff","score":0.5}]', "no list"),
        (b'[{"label":" ","score":0.5}]', "label of 1 characters"),
        (b'[{"label":"' + b"x" * 10_000 + b'","score":0.5}]', "label of 10000 characters"),
        (b"[]", "names nothing"),
        (b"[[]]", "names nothing"),
        (b'[[{"label":"a","score":1}],[{"label":"b","score":1}]]', "no list"),
        (b'[[[{"label":"a","score":1}]]]', "no list"),
        (b"{}", "no list"),
        (b"null", "no list"),
        (b"7", "no list"),
        (b'{"label":"a","score":0.5}', "no list"),
        (b"[0.5,0.5]", "no list"),
        (b"[" * 100_000, "no list"),
        (b'{"error":"Input is no picture"}', "200 with an error: 'Input is no picture'"),
        (b'{"error":["one"],"warnings":["two"]}', "200 with an error: 'one'"),
    ],
)
def test_anything_else_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(RemoteError) as raised:
        candidates(body)
    assert reason in raised.value.reason
    assert len(raised.value.reason) < 200
    assert raised.value.problem is BackendAnswerInvalid
    assert not raised.value.passes


LEAVES = st.none() | st.booleans() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(["label", "score", "error"])
ANSWERS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))
ENTRIES = st.lists(st.fixed_dictionaries({"label": st.text(max_size=300), "score": st.floats()}))


@given(ANSWERS | ENTRIES)
def test_whatever_comes_is_read_or_refused(answer: Any) -> None:
    try:
        found, refused = read(answer), False
    except RemoteError as failure:
        found, refused = (), failure.problem is BackendAnswerInvalid
    assert refused is not bool(found)
    assert all(0 <= each.confidence <= 1 and each.label.isprintable() for each in found)
