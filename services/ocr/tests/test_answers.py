import msgspec
from ocr import answers, schemas
from ocr.pages import Line, Page, Word
from ocr.results import PageResult

QUAD = ((1.2, 2.0), (9.0, 2.0), (9.0, 7.0), (1.0, 7.0))
PAGE = Page(10, 8, (Line("a b", 0.98765, QUAD, (Word("a", 0.9, QUAD), Word("b", 0.8, QUAD))),))


def result(number: int = 1) -> PageResult:
    return PageResult.of(number, PAGE, 0.123456, reason="no text")


def test_an_image_of_one_page_has_the_seeds_four_members() -> None:
    answer = answers.image([result()], words=False)
    assert answer == {
        "success": True,
        "results": [{"text": "a b", "confidence": 0.9877, "bbox": [[1, 2], [9, 2], [9, 7], [1, 7]]}],
        "processing_time": 0.1235,
        "image_size": {"width": 10, "height": 8},
    }
    assert msgspec.convert(answer, schemas.Answer, strict=True)


def test_each_line_of_several_pages_says_its_page() -> None:
    answer = answers.image([result(1), result(2)], words=True)
    assert [item["page"] for item in answer["results"]] == [1, 2]
    assert [page["page"] for page in answer["pages"]] == [1, 2]
    assert [word["text"] for word in answer["results"][1]["words"]] == ["a", "b"]
    assert msgspec.convert(answer, schemas.Answer, strict=True)


def test_a_document_is_as_its_schema_says() -> None:
    answer = answers.document([result(3), result(7)], words=True)
    assert [(page["page"], page["index"]) for page in answer["results"]] == [(3, 0), (7, 1)]
    assert msgspec.convert(answer, schemas.DocumentAnswer, strict=True)
    assert set(answer["results"][0]) == set(schemas.DocumentPage.__struct_fields__)
