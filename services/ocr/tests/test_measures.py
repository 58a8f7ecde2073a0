from collections.abc import Callable
from contextlib import AbstractContextManager

import pdfs
from starlette.testclient import TestClient

Run = Callable[..., AbstractContextManager[TestClient]]


def value(client: TestClient, sample: str) -> float:
    return float(client.get("/metrics").text.partition(f"\n{sample} ")[2].partition("\n")[0] or 0)


def test_pages_lines_and_characters_are_counted(run_service: Run, png: Callable[..., bytes]) -> None:
    with run_service() as client:
        for _ in range(2):
            client.post("/upload", files={"file": png("Valve 17", "Pump 4")})
        client.post("/upload_pdf", files={"file": pdfs.digital(pages=3)})
        client.post("/upload", files={"file": b"text"})
        client.post("/v1/ocr", json={"image": "no base64!"})
        assert value(client, 'ocr_pages_total{route="/upload",source="ocr"}') == 2
        assert value(client, 'ocr_pages_total{route="/upload_pdf",source="text"}') == 3
        assert value(client, 'ocr_lines_total{source="ocr"}') == 4
        assert value(client, 'ocr_characters_total{source="ocr"}') == 2 * len("Valve 17Pump 4")
        assert value(client, 'ocr_refused_total{reason="not-an-image"}') == 1
        assert value(client, 'ocr_refused_total{reason="not-base64"}') == 1
        assert value(client, 'ocr_stage_seconds_count{stage="decode"}') == 2
        assert value(client, 'ocr_stage_seconds_count{stage="read"}') == 2
        assert value(client, 'ocr_stage_seconds_count{stage="render"}') == 3
        assert value(client, "ocr_queue_length") == 0
        assert value(client, "ocr_child_restarts_total") == 0
        assert value(client, 'ocr_model_info{asked="cpu",provider="CPUExecutionProvider",version="v6"}') == 1
