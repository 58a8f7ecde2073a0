from digit.counts import Counts


def test_pictures_and_those_without_a_digit_are_counted() -> None:
    counts = Counts()
    counts.read("cnn", "/predict", is_digit=True)
    counts.read("cnn", "/predict", is_digit=False)
    counts.read("cnn", "/ws", is_digit=True)
    counts.refuse("no-ink")
    assert counts.images == {("cnn", "/predict"): 2, ("cnn", "/ws"): 1}
    assert counts.not_digits == {"cnn": 1}
    assert counts.refused == {"no-ink": 1}
