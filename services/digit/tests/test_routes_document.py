from digit.problems import NoInk
from digit.routes import document
from digit.schemas import DetailedPrediction, DetailedPredictions, Prediction, Predictions


def test_both_shapes_and_the_refusals_are_described() -> None:
    responses = document.answers(Prediction, DetailedPrediction, (NoInk,))
    shapes = responses[200]["content"]["application/json"]["schema"]["anyOf"]
    assert [shape["$ref"].rpartition(".")[2] for shape in shapes] == ["Prediction", "DetailedPrediction"]
    assert "X-Is-Digit" in responses[200]["headers"]
    assert "no-ink" in responses["422"]["content"]["application/problem+json"]["examples"]


def test_a_batch_is_also_described_as_csv_and_as_lines() -> None:
    answer = document.batch_answers(Predictions, DetailedPredictions, ())[200]
    assert set(answer["content"]) == {"application/json", "text/csv", "application/x-ndjson"}
    assert answer["content"]["text/csv"]["example"].startswith("name,prediction,confidence,is_digit,model,error\r\n")
    assert "headers" not in answer
