"""What the page does with an asset: live, threshold, training, models, alerts; real Chromium, real service."""

import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import FilePayload, Page, expect

HOSTILE = "<img src=x onerror=alert(1)>"
NORMAL = [1.2, 0.9, 1.1]
FAR = [9.0, 0.9, 1.1]


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("anomaly", "serve") + "/anomaly"


def table_of_normal_rows(count: int = 600) -> str:
    """Three sensors, one of them with a hostile name."""
    rows = [
        f"{1.2 + 0.05 * ((i * 7) % 11 - 5):.3f},{0.9 + 0.03 * ((i * 5) % 13 - 6):.3f},{1.1 + 0.02 * (i % 3):.3f}"
        for i in range(count)
    ]
    return "\n".join([f'vibration,"{HOSTILE}",current', *rows])


def csv_file(text: str) -> FilePayload:
    return {"name": "normal.csv", "mimeType": "text/csv", "buffer": text.encode()}


@pytest.fixture(scope="module")
def asset(base: str) -> str:
    """An asset with a trained, active model and a few normal readings."""
    with httpx2.Client(base_url=base, timeout=30) as client:
        client.put("/assets/press-7", json={}).raise_for_status()
        path, headers = "/models/press-7/train?activate=true&kind=pca", {"Content-Type": "text/csv"}
        job = client.post(path, content=table_of_normal_rows(), headers=headers).raise_for_status().json()
        while job["status"] in ("queued", "running"):
            time.sleep(0.2)
            job = client.get(f"/jobs/{job['id']}").json()
        assert job["status"] == "succeeded", job
    post(base, "press-7", [NORMAL] * 5)
    return "press-7"


def post(base: str, asset: str, rows: list[list[float]]) -> None:
    httpx2.post(f"{base}/assets/{asset}/batch", json={"rows": rows}).raise_for_status()


def test_follows_an_asset_live(page: Page, base: str, asset: str) -> None:
    post(base, asset, [FAR])
    page.goto(f"{base}/#live/{asset}")
    expect(page.locator("#live-connection")).to_have_text("live")
    expect(page.locator("#live-state .mark").first).to_have_text("anomaly")
    expect(page.locator("#live-sensors")).to_contain_text(HOSTILE)
    post(base, asset, [NORMAL])
    expect(page.locator("#live-state .mark").first).to_have_text("normal")
    page.locator("#live-chart svg").focus()
    page.keyboard.press("End")
    expect(page.locator("#live-chart .chart-reading")).to_contain_text("normal")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert Path(download.value.path()).read_text().count("\n") >= 8


def test_tells_how_to_begin_where_an_asset_has_no_readings(page: Page, base: str) -> None:
    page.goto(f"{base}/#live/default")
    expect(page.locator("#live-message")).to_contain_text("No readings yet")
    expect(page.locator("#live-message code")).to_contain_text(f"{base}/assets/default")


def test_moves_the_threshold_by_keyboard_and_applies_it(page: Page, base: str, asset: str) -> None:
    page.goto(f"{base}/#threshold/{asset}")
    slider = page.get_by_role("slider")
    slider.focus()
    before = float(slider.get_attribute("aria-valuenow") or 0)
    page.keyboard.press("PageUp")
    after = float(slider.get_attribute("aria-valuenow") or 0)
    assert after > before
    expect(page.locator("#manual-threshold")).to_have_value(f"{after:g}")
    assert "false-alarm rate" in (slider.get_attribute("aria-valuetext") or "")
    page.locator("#threshold-form").get_by_role("button", name="Apply").click()
    expect(page.locator("#threshold-form .done")).to_contain_text("Applied")
    assert httpx2.get(f"{base}/models/{asset}/threshold").json()["threshold"] == pytest.approx(after)


def test_drags_the_threshold_and_recomputes_it_by_percentile(page: Page, base: str, asset: str) -> None:
    page.goto(f"{base}/#threshold/{asset}")
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible()
    box = page.locator("#threshold-chart svg").bounding_box()
    assert box is not None
    before = slider.get_attribute("aria-valuenow")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 100, steps=4)
    page.mouse.up()
    assert slider.get_attribute("aria-valuenow") != before
    page.get_by_role("radio", name="Percentile").check()
    page.get_by_label("Percentile (95 to 99.9)").fill("97")
    page.locator("#threshold-form").get_by_role("button", name="Apply").click()
    expect(page.locator("#threshold-now")).to_contain_text("Percentile")


def test_recalibrates_from_recent_normal_rows(page: Page, base: str, asset: str) -> None:
    rows = [[float(cell) for cell in line.split(",")] for line in table_of_normal_rows(80).splitlines()[1:]]
    post(base, asset, rows)
    page.goto(f"{base}/#threshold/{asset}")
    page.get_by_label("Recent rows").fill("200")
    page.get_by_role("button", name="Recalibrate").click()
    expect(page.locator("#recalibrate-message .done")).to_contain_text("is active now")


def test_trains_with_progress_and_activates_the_version(page: Page, base: str) -> None:
    page.goto(f"{base}/#training")
    page.locator("#training-file").set_input_files(csv_file(table_of_normal_rows(2000)))
    expect(page.locator("#training-preview")).to_contain_text("2,000 rows, 3 columns")
    page.get_by_label("For the asset").fill("mixer.2")
    page.get_by_text("Options", exact=True).click()
    page.get_by_label("Epochs").fill("20")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#training-job progress")).to_be_visible()
    expect(page.locator("#training-job [data-state=succeeded]")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Activate version 1").click()
    expect(page.locator("#training-job .done")).to_contain_text("Version 1 of mixer.2 is active now.")
    expect(page.locator("#asset option", has_text="mixer.2")).to_have_count(1)


def test_cancels_a_training(page: Page, base: str) -> None:
    page.goto(f"{base}/#training")
    page.locator("#training-file").set_input_files(csv_file(table_of_normal_rows(20_000)))
    page.get_by_label("For the asset").fill("slow")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#training-job [data-state=cancelled]")).to_be_visible()


def test_shows_why_a_training_failed(page: Page, base: str, refused: set[int]) -> None:
    refused.add(422)
    page.goto(f"{base}/#training")
    page.locator("#training-file").set_input_files(csv_file("a,b\n1,2\n"))
    page.get_by_label("For the asset").fill("few")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#training [role=alert]")).to_contain_text("row")


def test_creates_downloads_uploads_activates_rolls_back_and_deletes(page: Page, base: str, asset: str) -> None:
    page.goto(f"{base}/#models/{asset}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download version 1", exact=True).click()
    assert download.value.suggested_filename == f"{asset}-v1.safetensors"
    page.get_by_role("button", name="New asset").click()
    page.get_by_label("Name").fill("lathe_3")
    page.keyboard.press("Enter")
    expect(page.locator("#versions-title")).to_have_text("Versions of lathe_3")
    page.locator("#model-file").set_input_files(download.value.path())
    page.get_by_label("Afterwards").select_option("Activate it at once")
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    expect(page.locator("#models-message")).to_contain_text("Uploaded as version 1")
    httpx2.put(f"{base}/models/lathe_3/threshold", json={"threshold": 7.5}).raise_for_status()
    page.reload()
    expect(page.locator("#models-versions tr", has_text="7.5")).to_contain_text("active")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.locator("#models-message")).to_contain_text("version 1 is active now")
    page.get_by_role("button", name="Details version 1").click()
    expect(page.locator("#version-details")).to_contain_text(HOSTILE)
    page.get_by_role("button", name="Delete version 2").click()
    page.keyboard.press("Escape")
    expect(page.locator("#models-versions tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Delete version 2").click()
    page.get_by_role("button", name="Delete the version").click()
    expect(page.locator("#models-versions tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Delete the asset…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the asset").click()
    expect(page.locator("#models-assets")).not_to_contain_text("lathe_3")


def test_changes_the_settings_of_an_asset(page: Page, base: str, asset: str) -> None:
    page.goto(f"{base}/#models/{asset}")
    page.get_by_text("Settings of the asset").click()
    page.get_by_label("of the last n").fill("9")
    page.get_by_label("Silence in s").fill("60")
    page.get_by_role("button", name="Save settings").click()
    expect(page.locator("#settings-form .done")).to_be_visible()
    alarm = httpx2.get(f"{base}/assets/{asset}/settings").json()["alarm"]
    assert (alarm["m"], alarm["n"], alarm["silence_s"]) == (3, 9, 60)


def test_acknowledges_shelves_and_judges_an_alert(page: Page, base: str, asset: str) -> None:
    post(base, asset, [FAR] * 9)
    page.goto(f"{base}/#alerts")
    row = page.locator("#alerts-list tbody tr", has_text=asset).filter(has_text="Anomaly")
    row.get_by_role("button", name="Acknowledge").click()
    page.get_by_label("Your name").fill("A. Berg")
    page.get_by_label("Note").fill(HOSTILE)
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").click()
    expect(row).to_contain_text("acknowledged by A. Berg")
    row.get_by_role("button", name="Details").click()
    expect(page.locator("#alert-details")).to_contain_text(HOSTILE)
    row.get_by_role("button", name="Shelve").click()
    expect(page.get_by_label("Your name")).to_have_value("A. Berg")
    page.get_by_role("dialog").get_by_role("button", name="Shelve").click()
    expect(row.locator("[data-state=shelved]")).to_be_visible()
    row.get_by_role("button", name="Feedback").click()
    page.get_by_label("What was it?").select_option("false_alarm")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("#alert-details")).to_contain_text("false alarm (A. Berg)")


def test_says_that_a_test_alert_has_nowhere_to_go(page: Page, base: str, refused: set[int]) -> None:
    refused.update({409, 422})
    page.goto(f"{base}/#alerts")
    page.get_by_role("button", name="Send a test alert").click()
    expect(page.locator("#deliveries-message [role=alert]")).to_contain_text("no receiver is set")


def test_tries_a_failed_delivery_again(open_page: Callable[[str], Page], serve: Callable[..., str]) -> None:
    nobody = "http://127.0.0.1:9/hook"
    settings = {"ANOMALY_WEBHOOK_URLS": nobody, "ANOMALY_WEBHOOK_ALLOW": "127.0.0.1"}
    base = serve("anomaly", "serve", ANOMALY_DELIVERY_MAX_ATTEMPTS="1", **settings) + "/anomaly"
    page = open_page(base)
    page.goto(f"{base}/#alerts")
    page.get_by_role("button", name="Send a test alert").click()
    row = page.locator("#deliveries-list tbody tr")
    expect(row.locator("[data-state=failed]")).to_be_visible()
    expect(row).to_contain_text("127.0.0.1:9")
    row.get_by_role("button", name="Retry delivery").click()
    expect(page.locator("#deliveries-message")).to_contain_text("is tried again")
