"""What a call can choose of the reading; nothing of it is kept between calls."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """`use_det` off: the picture is one line. `use_rec` off: places without text. `use_cls` off: nothing is turned."""

    use_det: bool = True
    use_cls: bool = True
    use_rec: bool = True
    text_score: float = 0.5  # least confidence of a line that is answered
    det_thresh: float = 0.3  # least probability of a pixel of text
    box_thresh: float = 0.5  # least mean probability within a line's quadrilateral
    unclip_ratio: float = 1.6  # how far the detected core of a line is widened
