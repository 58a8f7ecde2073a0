"""What is sent piece by piece arrives piece by piece."""

import io
import json
import time

import httpx2
from deployments import Deployment
from PIL import Image, ImageDraw
from websockets.sync.client import connect

PAGES = 6
READING = {"values": [1.2, 0.9, 1.1]}


def picture(text: str) -> Image.Image:
    image = Image.new("RGB", (640, 120), "white")
    ImageDraw.Draw(image).text((20, 40), text, fill="black", font_size=40)
    return image


def scan() -> bytes:
    pages = [picture(f"Page number {number}") for number in range(PAGES)]
    file = io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], resolution=72)
    return file.getvalue()


def test_a_document_arrives_page_by_page(running: Deployment) -> None:
    headers = {"Accept": "application/x-ndjson"}
    with httpx2.stream(
        "POST", f"{running.base_url}/ocr/upload_pdf", files={"file": scan()}, headers=headers, timeout=120
    ) as answer:
        arrived = [(time.monotonic(), json.loads(line)) for line in answer.iter_lines()]
    pages = [(at, line) for at, line in arrived if "result" in line]
    assert len(pages) == PAGES
    assert pages[-1][0] - pages[0][0] > 0.05 * (PAGES - 1)  # reading a page takes far longer than sending its line


def test_events_arrive_at_once(running: Deployment) -> None:
    with (
        httpx2.Client(base_url=running.base_url, timeout=10) as api,
        api.stream("GET", "/anomaly/assets/default/stream", headers={"Accept": "text/event-stream"}) as stream,
    ):
        assert stream.status_code == 200
        lines = stream.iter_lines()
        for _ in range(3):
            sent = time.monotonic()
            httpx2.post(f"{running.base_url}/anomaly/assets/default", json=READING).raise_for_status()
            assert next(line for line in lines if line.startswith("data:"))
            assert time.monotonic() - sent < 2


def test_a_socket_answers_frame_by_frame_and_stays_open(running: Deployment) -> None:
    image = Image.new("L", (56, 56), 255)
    ImageDraw.Draw(image).line([(14, 12), (40, 12), (24, 46)], fill=0, width=4)
    file = io.BytesIO()
    image.save(file, "PNG")
    with connect(f"ws{running.base_url.removeprefix('http')}/digit/ws") as socket:
        for _ in range(5):
            socket.send(file.getvalue())
            assert json.loads(socket.recv(10))["prediction"] == 7
            socket.send("no picture")
            assert "error" in json.loads(socket.recv(10))
