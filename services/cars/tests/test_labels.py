import pytest
from cars.labels import BODIES, LABELS, Names, labelled, parsed


def test_there_are_196_cars_of_49_makes_in_the_order_of_the_outputs() -> None:
    assert [label.index for label in LABELS] == list(range(196))
    assert len({label.name for label in LABELS}) == 196
    assert len({label.make for label in LABELS}) == 49


def test_each_name_is_put_together_from_what_it_tells() -> None:
    for label in LABELS:
        told = (label.make, label.model, label.body, label.year)
        assert " ".join(str(part) for part in told if part is not None) == label.name


def test_fifteen_names_tell_no_body() -> None:
    assert sum(label.body is None for label in LABELS) == 15
    assert {label.body for label in LABELS if label.body} == set(BODIES)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Tesla Model S Sedan 2012", Names("Tesla", "Model S", "Sedan", 2012)),
        ("AM General Hummer SUV 2000", Names("AM General", "Hummer", "SUV", 2000)),
        ("Land Rover Range Rover SUV 2012", Names("Land Rover", "Range Rover", "SUV", 2012)),
        ("Ford Ranger SuperCab 2011", Names("Ford", "Ranger", "SuperCab", 2011)),
        ("Ram C/V Cargo Van Minivan 2012", Names("Ram", "C/V Cargo Van", "Minivan", 2012)),
        ("Jaguar XK XKR 2012", Names("Jaguar", "XK XKR", None, 2012)),
        (" BYD Tang SUV 2021 ", Names("BYD", "Tang", "SUV", 2021)),
    ],
)
def test_a_name_tells_make_model_body_and_year(name: str, told: Names) -> None:
    assert parsed(name) == told


@pytest.mark.parametrize(
    "name", ["", "2012", "Ford 2012", "tench, Tinca tinca", "sports car", "route 66", "BMW X3 12345"]
)
def test_a_name_that_is_no_car_tells_nothing(name: str) -> None:
    assert parsed(name) == Names()


def test_the_classes_of_another_model_keep_their_order_and_their_names() -> None:
    first, second = labelled(["cab", "Fiat Panda Hatchback 2019"])
    assert (first.index, first.name, first.make) == (0, "cab", None)
    assert (second.index, second.make, second.model, second.year) == (1, "Fiat", "Panda", 2019)
