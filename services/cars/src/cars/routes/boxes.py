"""The part of a picture that a client names, as a form's field or a parameter: `bbox`."""

import re

from servicekit.problems import InvalidInput, quote

from cars.recognition import Box

NAME = "bbox"
ABOUT = "The part to read, as `x,y,width,height` in pixels of the upright picture; none: it is looked for."
NUMBER = r"\s*([0-9]{1,6})\s*"
FOUR = re.compile(rf"\s*\[?{','.join([NUMBER] * 4)}\]?\s*", re.ASCII)


def box(values: dict[str, str]) -> Box | None:
    """Returns the part that is named, which a picture may lack, or None where none is; raises InvalidInput."""
    if NAME not in values:
        return None
    text = values[NAME]
    match = FOUR.fullmatch(text)
    if not match:
        raise InvalidInput(f"bbox is {quote(text)}, expected x,y,width,height in whole pixels, as 40,80,640,360")
    return Box(*(int(number) for number in match.groups()))
