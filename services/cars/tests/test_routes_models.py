from cars.labels import LABELS
from painted import Running


def test_models_says_what_recognises(service: Running) -> None:
    (item,) = service.client.get("/models").json()["items"]
    assert (item["backend"], item["model"], item["model_version"]) == ("local", "painted", "1")


def test_labels_lists_the_cars_that_the_shipped_model_knows(service: Running) -> None:
    items = service.client.get("/labels").json()["items"]
    assert [item["name"] for item in items] == [label.name for label in LABELS]
    assert len(items) == 196
    assert set(items[0]) == {"index", "name", "make", "model", "body", "year"}
