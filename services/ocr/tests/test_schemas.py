import msgspec
import pytest
from ocr import schemas
from servicekit import strict
from servicekit.problems import InvalidInput

REQUESTS = (schemas.PaddleRequest, schemas.EasyRequest, schemas.Request)


@pytest.mark.parametrize("type_", REQUESTS)
def test_only_the_image_is_needed_and_nothing_unknown_is_taken(type_: type[msgspec.Struct]) -> None:
    assert strict.decode(b'{"image":"a"}', type_)
    for body in (b"{}", b'{"image":"a","imgae":"b"}', b'{"image":["a"]}'):
        with pytest.raises(InvalidInput):
            strict.decode(body, type_)


@pytest.mark.parametrize("type_", REQUESTS)
def test_the_document_tells_the_ranges_of_thresholds(type_: type[msgspec.Struct]) -> None:
    properties = msgspec.json.schema(type_)["$defs"][type_.__name__]["properties"]
    ranges = [(member["minimum"], member["maximum"]) for member in properties.values() if "minimum" in member]
    assert ranges
    assert set(ranges) <= {(0, 1), (1, 4)}
