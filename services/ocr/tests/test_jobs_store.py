import errno
import io
import logging
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ocr.jobs import disk
from ocr.jobs.lock import StoreInUse
from ocr.jobs.record import File, Key, Order, Record
from ocr.jobs.store import MAX_ATTEMPTS, JobGone, Store
from ocr.options import Options
from ocr.pages import Page
from ocr.problems import DocumentInvalid, IdempotencyKeyReused, TooManyJobs, UnknownJob
from ocr.results import PageResult
from ocr.settings import Settings
from servicekit.problems import UploadStorageFull

FILE = File("scan.pdf", "pdf", 4, "0" * 64)
ORDER = Order(Options())


class Clock:
    """Epoch seconds that pass when they are told to."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(jobs_dir=tmp_path / "jobs", jobs_max_stored=5, jobs_retention_s=100)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def opened(settings: Settings, clock: Clock) -> Iterator[Store]:
    store = Store(settings, clock)
    store.open()
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def store(settings: Settings, clock: Clock) -> Iterator[Store]:
    with opened(settings, clock) as store:
        yield store


def create(store: Store, *, password: str | None = None, key: Key | None = None) -> Record:
    return store.create("anonymous", ORDER, FILE, io.BytesIO(b"%PDF"), password=password, key=key)


def result(number: int) -> PageResult:
    return PageResult.of(number, Page(40, 20, ()), 0.5)


def names(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.jobs_dir.iterdir() if path.name != "lock")


def test_a_job_is_a_private_folder_under_an_id_that_nobody_guesses(store: Store, settings: Settings) -> None:
    first, second = create(store, password="secret"), create(store)
    assert len(first.id) == len(second.id) == 32
    assert first.id[:16] != second.id[:16]
    assert names(settings) == sorted([first.id, second.id])
    folder = settings.jobs_dir / first.id
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == dict.fromkeys(
        ("input", "job.json", "password"), 0o600
    )
    assert b"secret" not in (folder / "job.json").read_bytes()


def test_what_was_created_is_there_after_a_restart(settings: Settings, clock: Clock) -> None:
    with opened(settings, clock) as store:
        record = create(store)
        assert store.waiting() == record
    with opened(settings, clock) as again:
        assert again.find(record.id) == record
        assert again.folder(record.id).input.read_bytes() == b"%PDF"
        assert again.waiting() == record


def test_a_running_job_is_queued_again_with_its_whole_pages(settings: Settings, clock: Clock) -> None:
    with opened(settings, clock) as store:
        record = create(store)
        store.claim(record.id)
        store.begin(record.id, [2, 4, 6])
        store.add(record.id, result(2))
        with store.folder(record.id).pages.open("ab") as file:
            file.write(b'{"number":4,')
    with opened(settings, clock) as again:
        found = again.find(record.id)
        assert (found.status, found.pages_done, found.numbers) == ("queued", 1, (2, 4, 6))
        claimed = again.claim(record.id)
        assert claimed
        assert claimed.started_ms == found.started_ms
        again.add(record.id, result(4))
        assert again.find(record.id).progress == round(2 / 3, 4)


def test_a_job_that_kills_processes_at_one_page_fails(settings: Settings, clock: Clock) -> None:
    with opened(settings, clock) as store:
        job_id = create(store, password="secret").id
    for _ in range(MAX_ATTEMPTS):
        with opened(settings, clock) as store:
            assert store.claim(job_id)
    with opened(settings, clock) as store:
        assert store.claim(job_id) is None
        ended = store.find(job_id)
        assert ended.status == "failed"
        assert ended.error
        assert ended.error["type"].endswith("job-interrupted")
        assert f"{MAX_ATTEMPTS} times" in ended.error["detail"]
        assert store.folder(job_id).read_password() is None


def test_a_job_that_gets_on_may_be_interrupted_as_often_as_it_takes(settings: Settings, clock: Clock) -> None:
    with opened(settings, clock) as store:
        job_id = create(store).id
    for number in range(1, 2 * MAX_ATTEMPTS):
        with opened(settings, clock) as store:
            assert store.claim(job_id)
            store.begin(job_id, range(1, 50))
            store.add(job_id, result(number))
    with opened(settings, clock) as store:
        assert store.claim(job_id)


def test_a_service_that_is_stopped_does_the_job_no_harm(settings: Settings, clock: Clock) -> None:
    with opened(settings, clock) as store:
        job_id = create(store).id
    for _ in range(2 * MAX_ATTEMPTS):
        with opened(settings, clock) as store:
            assert store.claim(job_id)
            store.release(job_id)
            assert store.find(job_id).status == "queued"


def test_an_ended_job_changes_no_more_and_knows_no_password(store: Store) -> None:
    job_id = create(store, password="secret").id
    store.claim(job_id)
    ended = store.end(job_id, "failed", DocumentInvalid("it is torn"))
    assert ended.error
    assert ended.error["detail"] == "it is torn"
    assert store.folder(job_id).read_password() is None
    assert store.end(job_id, "succeeded") == ended
    assert store.claim(job_id) is None
    for change in (
        lambda: store.add(job_id, result(1)),
        lambda: store.begin(job_id, [1]),
        lambda: store.release(job_id),
    ):
        with pytest.raises(JobGone):
            change()


def test_a_password_that_a_dead_process_left_is_wiped(settings: Settings, clock: Clock) -> None:
    with opened(settings, clock) as store:
        job_id = create(store).id
        store.end(job_id, "cancelled")
        store.folder(job_id).write_password("left")
    with opened(settings, clock) as again:
        assert again.folder(job_id).read_password() is None


def test_a_job_goes_when_its_retention_has_ended_and_not_before(store: Store, settings: Settings, clock: Clock) -> None:
    kept, gone = create(store), create(store)
    store.end(gone.id, "cancelled")
    clock.now += 99.9
    assert store.sweep() == 0
    assert store.find(gone.id).status == "cancelled"
    clock.now += 0.1
    with pytest.raises(UnknownJob):
        store.find(gone.id)  # at once, whenever it is swept
    assert [record.id for record in store.newest(9, lambda _: True)] == [kept.id]
    assert store.sweep() == 1
    assert names(settings) == [kept.id]
    clock.now += 1e6
    assert store.sweep() == 0  # what waits is kept as long as it waits


def test_a_full_store_refuses_and_tells_when_to_come_again(store: Store, settings: Settings, clock: Clock) -> None:
    records = [create(store) for _ in range(5)]
    with pytest.raises(TooManyJobs, match="5 jobs are kept, the limit is 5") as refusal:
        create(store)
    assert refusal.value.headers == {"Retry-After": "60"}
    store.end(records[0].id, "cancelled")
    clock.now += 30
    with pytest.raises(TooManyJobs) as refusal:
        create(store)
    assert refusal.value.headers == {"Retry-After": "70"}
    assert len(names(settings)) == 5
    clock.now += 70
    create(store)


@pytest.mark.parametrize("failing", ["copy", "write", "sync_folder"])
def test_nothing_half_is_left_of_a_job_that_finds_no_room(
    store: Store, settings: Settings, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(disk, failing, full)
    with pytest.raises(UploadStorageFull):
        create(store, password="secret")
    assert names(settings) == []
    assert store.newest(9, lambda _: True) == []


def test_an_end_that_finds_no_room_is_known_and_the_job_runs_again_later(
    settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with opened(settings, clock) as store:
        job_id = create(store).id
        store.claim(job_id)
        with monkeypatch.context() as patch:
            patch.setattr(disk, "write", full)
            assert store.end(job_id, "succeeded").status == "succeeded"
        assert store.find(job_id).status == "succeeded"
        assert "cannot be stored" in caplog.text
    with opened(settings, clock) as again:
        assert again.find(job_id).status == "queued"


def test_what_was_being_made_or_removed_is_cleared_away(settings: Settings, clock: Clock) -> None:
    for name in (f".new-{'a' * 32}", f".gone-{'b' * 32}"):
        (settings.jobs_dir / name).mkdir(parents=True)
        (settings.jobs_dir / name / "input").write_bytes(b"half")
    with opened(settings, clock) as store:
        assert store.tally() == dict.fromkeys(("queued", "running", "succeeded", "failed", "cancelled"), 0)
    assert names(settings) == []


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"id":"x"}', b"\xff"])
def test_a_folder_that_cannot_be_read_is_left_alone(
    settings: Settings, clock: Clock, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(settings, clock) as store:
        good, bad = create(store).id, create(store).id
    (settings.jobs_dir / bad / "job.json").write_bytes(damage)
    (settings.jobs_dir / "notes.txt").write_text("somebody's")
    with opened(settings, clock) as store, caplog.at_level(logging.WARNING):
        assert store.find(good).id == good
        with pytest.raises(UnknownJob):
            store.find(bad)
    assert bad in caplog.text
    assert names(settings) == sorted([good, bad, "notes.txt"])


def test_a_copied_folder_is_no_second_job(settings: Settings, clock: Clock) -> None:
    with opened(settings, clock) as store:
        job_id = create(store).id
    shutil.copytree(settings.jobs_dir / job_id, settings.jobs_dir / "copy")
    with opened(settings, clock) as store:
        assert [record.id for record in store.newest(9, lambda _: True)] == [job_id]


@pytest.mark.parametrize("name", ["..", "../jobs", "", "/etc/passwd", "a" * 32, "lock", ".", "\0"])
def test_an_id_that_is_none_touches_no_file(store: Store, settings: Settings, name: str) -> None:
    job_id = create(store).id
    for call in (store.find, lambda name: store.end(name, "cancelled")):
        with pytest.raises(UnknownJob):
            call(name)
    assert store.claim(name) is None
    store.delete(name)
    assert names(settings) == [job_id]


def test_a_job_that_somebody_removed_by_hand_can_be_deleted(store: Store, settings: Settings) -> None:
    job_id = create(store).id
    shutil.rmtree(settings.jobs_dir / job_id)
    assert store.end(job_id, "cancelled").status == "cancelled"
    store.delete(job_id)
    with pytest.raises(UnknownJob):
        store.find(job_id)


def test_a_list_goes_on_where_it_stopped(store: Store, clock: Clock) -> None:
    ids = []
    for _ in range(5):
        ids.append(create(store).id)
        clock.now += 0.001
    first = store.newest(2, lambda _: True)
    rest = store.newest(9, lambda _: True, first[-1].place)
    assert [record.id for record in (*first, *rest)] == ids[::-1]
    store.end(ids[1], "cancelled")
    assert [record.id for record in store.newest(9, lambda record: record.ended)] == [ids[1]]
    assert store.tally()["cancelled"] == 1
    waiting = store.waiting()
    assert waiting
    assert waiting.id == ids[0]


def test_a_key_finds_its_job_and_refuses_another_request(store: Store) -> None:
    key = Key("name", "print")
    assert store.keyed(key) is None
    record = create(store, key=key)
    assert store.keyed(key) == record
    assert store.keyed(Key("other", "print")) is None
    with pytest.raises(IdempotencyKeyReused):
        store.keyed(Key("name", "other print"))


def test_a_folder_has_one_process(store: Store, settings: Settings, clock: Clock) -> None:
    with pytest.raises(StoreInUse):
        Store(settings, clock).open()
    assert store.tally()["queued"] == 0
