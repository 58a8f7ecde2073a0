import pytest
from digit.commands.labels import Accuracy, label_of


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("img_0_label_6.png", 6),
        ("a/b/img_12_label-0.jpeg", 0),
        ("LABEL_3.PNG", 3),
        ("x_label7_copy_2_rotation.jpg", 7),
        ("label_1_label_2.png", 2),
        ("img_0_label_16.png", None),
        ("relabel_6.png", None),
        ("label_6/img_0.png", None),
        ("img_0.png", None),
    ],
)
def test_the_label_stands_in_the_last_part_of_the_name(name: str, label: int | None) -> None:
    assert label_of(name) == label


def test_counts_what_was_read_right_and_names_what_was_not() -> None:
    accuracy = Accuracy()
    accuracy.count("a_label_6.png", 6)
    accuracy.count("b_label_5.png", 3)
    accuracy.count("c_label_5.png", None)
    accuracy.count("d.png", 5)
    told = "1 of 3 labelled pictures right (33.33%); wrong: b_label_5.png read as 3, c_label_5.png read as nothing"
    assert str(accuracy) == told


def test_names_only_the_first_few() -> None:
    accuracy = Accuracy()
    for i in range(7):
        accuracy.count(f"{i}_label_5.png", 3)
    assert str(accuracy).endswith("4_label_5.png read as 3, …")


def test_adds_up_what_several_counted() -> None:
    total, part = Accuracy(), Accuracy()
    part.count("a_label_1.png", 1)
    part.count("b_label_1.png", 7)
    total.add(part)
    total.add(part)
    assert (total.labelled, total.right, total.wrong) == (4, 2, {"b_label_1.png": 7})
