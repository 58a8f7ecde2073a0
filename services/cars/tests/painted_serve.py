"""`python -m painted_serve serve`: the whole service, with a backend that names cars by their colour."""

import sys

from cars import choice
from cars.__main__ import main
from cars.recognition import BackendName, Box, Candidate, Reason, Recognition, Share
from cars.settings import Settings
from painted import Painted
from PIL import Image
from servicekit.threads import Pool

SHARES = (0.81, 0.07, 0.05, 0.04, 0.03)
FERRARI = ("FF Coupe 2012", "California Convertible 2012", "458 Italia Coupe 2012", "458 Italia Convertible 2012")
NAMES = (*(("Ferrari", name) for name in FERRARI), ("Tesla", "Model S Sedan 2012"))
REASONS: dict[tuple[int, int, int], Reason | None] = {
    (200, 0, 0): None,
    (0, 0, 200): None,
    (200, 200, 0): "unknown_model",
    (200, 0, 200): "low_confidence",
}
NEAR = 24  # of 256: what JPEG changes of a colour


def candidates(colour: tuple[int, int, int]) -> tuple[Candidate, ...]:
    """Returns five cars, of which the first is a Ferrari; a Tesla for blue."""
    named = NAMES[::-1] if colour == (0, 0, 200) else NAMES
    return tuple(
        Candidate(f"{make} {name}", make, name.rsplit(" ", 2)[0], name.split()[-2], 2012, share)
        for (make, name), share in zip(named, SHARES, strict=True)
    )


class Colours(Painted):
    """Red and blue are cars, yellow one that is not known, magenta one that is not certain, all else is none."""

    name: BackendName = "local"

    async def recognise(self, image: Image.Image, data: bytes, content_type: str, bbox: Box | None) -> Recognition:
        """Reads the middle of the part; where none is given, the part is the middle half of the picture."""
        width, height = image.size
        box = bbox or Box(width // 4, height // 4, width // 2, height // 2)
        seen = image.getpixel((box.x + box.width // 2, box.y + box.height // 2))
        assert isinstance(seen, tuple)
        near = [colour for colour in REASONS if _is_near(colour, seen)]
        return _recognition(near[0] if near else None, box)


def _is_near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < NEAR


def _recognition(colour: tuple[int, int, int] | None, box: Box) -> Recognition:
    reason = REASONS[colour] if colour else "no_car"
    found = candidates(colour) if colour else ()
    first = found[0] if found else None
    return Recognition(
        predictions=found,
        recognized=reason is None,
        reason=reason,
        make=Share(first.make, 0.97) if first and first.make else None,
        model=Share(first.model, 0.84) if first and first.model else None,
        body=Share(first.body, 0.9) if first and first.body else None,
        year=Share(first.year, 0.99) if first and first.year else None,
        region=box if found else None,
        backend="local",
        model_name="painted",
        model_version="1",
    )


def _backend(_settings: Settings, _pool: Pool) -> Colours:
    return Colours()


if __name__ == "__main__":
    setattr(choice, "backend", _backend)  # noqa: B010 - mypy refuses a plain assignment
    sys.exit(main())
