from xml.etree import ElementTree as ET

import pytest
from cars.reports.plots import Bar, Plot

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg: str) -> ET.Element:
    """Reads the plot as XML, which it is but for the namespace that HTML does not need."""
    return ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def test_bars_are_as_long_as_their_numbers() -> None:
    plot = parsed(Plot().bars("Makes", "about", [Bar("Audi", 40), Bar("BMW", 10), Bar("Fiat", 0)]))
    widths = [float(bar.attrib["width"]) for bar in plot.iter(f"{SVG}rect")]
    assert widths[0] == pytest.approx(4 * widths[1], rel=0.01)
    assert widths[2] == 1


def test_columns_stand_on_one_line_and_are_as_tall_as_their_numbers() -> None:
    plot = parsed(Plot().columns("Days", "about", [Bar(str(day), day) for day in range(60)]))
    bars = list(plot.iter(f"{SVG}rect"))
    assert len({round(float(bar.attrib["y"]) + float(bar.attrib["height"])) for bar in bars}) == 1
    assert float(bars[50].attrib["height"]) == pytest.approx(2 * float(bars[25].attrib["height"]), rel=0.01)
    names = [text for text in plot.iter(f"{SVG}text") if text.attrib.get("class") == "name"]
    assert 6 <= len(names) <= 10


def test_a_plot_has_a_title_and_a_description_of_its_own() -> None:
    plot = Plot()
    first, second = (parsed(plot.bars(title, "about", [Bar("a", 1)])) for title in ("One", "Two"))
    for svg, title in ((first, "One"), (second, "Two")):
        assert svg.attrib["role"] == "img"
        ids = svg.attrib["aria-labelledby"].split()
        assert [svg[0].attrib["id"], svg[1].attrib["id"]] == ids
        assert (svg[0].text, svg[1].text) == (title, "about")
    assert first.attrib["aria-labelledby"] != second.attrib["aria-labelledby"]


def test_names_are_escaped_and_long_ones_cut_but_whole_in_the_tip() -> None:
    name = '<script>"&' + "x" * 40
    svg = Plot().bars("Makes", "about", [Bar(name, 1)])
    assert "<script>" not in svg
    tips = [tip.text for tip in parsed(svg).iter(f"{SVG}title")]
    assert f"{name}: 1" in tips


@pytest.mark.parametrize("bars", [[], [Bar("a", 0)]])
def test_nothing_to_draw_is_an_empty_plot(bars: list[Bar]) -> None:
    for svg in (Plot().bars("t", "d", bars), Plot().columns("t", "d", bars)):
        assert parsed(svg).tag == f"{SVG}svg"
