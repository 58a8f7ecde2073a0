from digit.names import apart


def test_a_name_that_only_one_has_stays_as_short_as_it_is() -> None:
    assert apart([("1.png", "a/1.png", "x.zip/a/1.png"), ("2.png", "b/2.png", "x.zip/b/2.png")]) == ["1.png", "2.png"]


def test_a_shared_name_is_told_by_its_path_in_the_zip() -> None:
    shared = [("1.png", f"{folder}/1.png", f"x.zip/{folder}/1.png") for folder in "ab"]
    assert apart([*shared, ("2.png",)]) == ["a/1.png", "b/1.png", "2.png"]


def test_a_shared_path_is_told_by_its_zip() -> None:
    shared = [("1.png", "a/1.png", f"{archive}.zip/a/1.png") for archive in "xy"]
    assert apart(shared) == ["x.zip/a/1.png", "y.zip/a/1.png"]


def test_a_file_beside_a_zip_keeps_its_name() -> None:
    assert apart([("1.png",), ("1.png", "1.png", "x.zip/1.png")]) == ["1.png", "x.zip/1.png"]


def test_what_nothing_tells_apart_is_numbered_in_order() -> None:
    assert apart([("1.png",)] * 3) == ["1.png", "1.png (2)", "1.png (3)"]


def test_a_number_is_not_given_where_a_file_has_that_name() -> None:
    names = apart([("1.png",), ("1.png (2)",), ("1.png",), ("1.png",)])
    assert names == ["1.png", "1.png (2)", "1.png (3)", "1.png (4)"]


def test_thousands_of_one_name_are_told_apart() -> None:
    assert len(set(apart([("1.png", "a/1.png", "x.zip/a/1.png")] * 5000))) == 5000
