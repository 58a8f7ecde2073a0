import numpy as np
import pytest
from cars.labels import LABELS, Label, labelled
from cars.postprocess import TOP, Array, Shares, likeliest, probabilities, shares
from cars.recognition import Share
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

LOGITS = arrays.arrays(np.float64, len(LABELS), elements=st.floats(-30, 30))
SOME = labelled(["Audi A5 Coupe 2012", "Audi S5 Coupe 2012", "Audi S5 Convertible 2008", "BMW M3 Coupe 2012"])


@given(LOGITS, st.floats(0.3, 3))
def test_probabilities_sum_to_one_whatever_the_temperature(logits: Array, temperature: float) -> None:
    p = probabilities(logits, temperature)
    assert p.sum() == pytest.approx(1)
    assert p.min() >= 0


def test_a_higher_temperature_is_less_sure() -> None:
    logits = np.array([[3.0, 1.0, 0.0]])
    assert probabilities(logits, 2.0).max() < probabilities(logits).max() < probabilities(logits, 0.5).max()


def test_large_logits_do_not_overflow() -> None:
    assert probabilities(np.array([1000.0, 0.0])) == pytest.approx([1.0, 0.0])


@given(LOGITS)
def test_the_likeliest_come_in_order(logits: Array) -> None:
    p = probabilities(logits)
    found = likeliest(LABELS, p)
    assert len(found) == TOP
    assert [each.confidence for each in found] == sorted(p.tolist(), reverse=True)[:TOP]
    assert len({each.label for each in found}) == TOP


def test_a_model_of_fewer_classes_answers_all_of_them() -> None:
    found = likeliest(SOME[:2], np.array([0.2, 0.8]))
    assert [(each.label, each.confidence) for each in found] == [
        ("Audi S5 Coupe 2012", 0.8),
        ("Audi A5 Coupe 2012", 0.2),
    ]


@given(LOGITS)
def test_make_model_body_and_year_are_always_those_of_one_car(logits: Array) -> None:
    found = shares(LABELS, probabilities(logits))
    answered = tuple(None if share is None else share.value for share in found)
    assert answered in {(label.make, label.model, label.body, label.year) for label in LABELS}


@given(LOGITS)
def test_each_share_is_the_sum_over_all_that_share_it(logits: Array) -> None:
    p = probabilities(logits)
    make, model, body, year = shares(LABELS, p)
    assert make
    assert model
    assert year

    def total(fits: list[bool]) -> float:
        return float(p[np.array(fits)].sum())

    assert make.confidence == pytest.approx(total([label.make == make.value for label in LABELS]))
    alike = [(label.make, label.model) == (make.value, model.value) for label in LABELS]
    assert model.confidence == pytest.approx(total(alike))
    assert year.confidence == pytest.approx(total([label.year == year.value for label in LABELS]))
    if body:
        assert body.confidence == pytest.approx(total([label.body == body.value for label in LABELS]))


@given(LOGITS)
def test_a_make_is_never_less_sure_than_any_other_and_than_its_model(logits: Array) -> None:
    p = probabilities(logits)
    make, model, _, _ = shares(LABELS, p)
    assert make
    assert model
    assert model.confidence <= make.confidence + 1e-9
    sums = [
        p[[label.index for label in LABELS if label.make == other]].sum() for other in {label.make for label in LABELS}
    ]
    assert make.confidence >= max(sums) - 1e-9


@given(LOGITS)
def test_an_answer_that_is_more_likely_than_all_others_together_agrees_with_its_make(logits: Array) -> None:
    p = probabilities(logits)
    first = likeliest(LABELS, p)[0]
    make = shares(LABELS, p).make
    assert first.confidence <= 0.5 or (make is not None and make.value == first.make)


def test_two_cars_of_a_make_outweigh_a_likelier_one_of_another() -> None:
    found = shares(SOME, np.array([0.35, 0.1, 0.15, 0.4]))
    assert found.make == Share("Audi", pytest.approx(0.6))
    assert found.model == Share("A5", pytest.approx(0.35))
    assert found.body == Share("Coupe", pytest.approx(0.85))
    assert found.year == Share(2012, pytest.approx(0.85))


def test_names_that_tell_nothing_have_no_shares() -> None:
    assert shares(labelled(["cat", "dog"]), np.array([0.5, 0.5])) == Shares()


def test_a_body_that_a_name_does_not_tell_is_none() -> None:
    labels = (Label(0, "Charger", "Dodge", "Charger", None, 2009), *labelled(["BMW M3 Coupe 2012"]))
    assert shares(labels, np.array([0.9, 0.1])) == Shares(
        Share("Dodge", 0.9), Share("Charger", 0.9), None, Share(2009, 0.9)
    )
