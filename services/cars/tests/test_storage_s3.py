import hashlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cars.problems import PicturesUnavailable, UnknownFile
from cars.storage import Access, Storage, bucket, keys, open_storage, s3
from s3server import ACCESS, EXECUTABLE, MISSING, S3Server
from servicekit.problems import Problem, UploadStorageFull

PICTURE = b"the bytes of a picture" * 1000
SHA256 = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if EXECUTABLE is None:
        pytest.skip(MISSING)
    server = S3Server(tmp_path_factory.mktemp("s3"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(running: S3Server) -> S3Server:
    """The server, running whatever the test before did to it."""
    if running.process is None:
        running.start()
    return running


@pytest.fixture
def storage(server: S3Server) -> Storage:
    return open_storage(server.url, ACCESS)


class Refusing(BaseHTTPRequestHandler):
    """Gives one answer to everything."""

    status = 500
    body = b""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_PUT = do_DELETE = answer  # noqa: N815 - the library's names

    def log_message(self, *arguments: object) -> None:
        """Is quiet."""


@pytest.fixture
def answering() -> Iterator[tuple[type[Refusing], str]]:
    """A server that gives one answer, and the URL of a bucket on it."""
    handler = type("Answering", (Refusing,), {})
    with HTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield handler, f"s3://cars?endpoint=http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def test_gives_back_what_was_put(storage):
    key = keys.original(SHA256, "png")
    storage.put(key, PICTURE)
    with storage.open(key) as file:
        assert file.read() == storage.get(key) == PICTURE
    assert storage.has(key)
    assert storage.kind == "s3"


def test_a_picture_lies_under_the_prefix_with_its_kind(server, storage):
    key = keys.original(SHA256, "png")
    storage.put(key, PICTURE)
    path = server.buckets / "cars" / "pictures" / key
    assert path.read_bytes() == PICTURE
    assert os.getxattr(path, "user.content-type") == b"image/png"


def test_a_picture_that_is_not_there_is_unknown_and_can_be_deleted(storage):
    key = keys.original(SHA256, "jpg")
    assert not storage.has(key)
    storage.delete(key)
    with pytest.raises(UnknownFile):
        storage.get(key)


def test_a_deleted_picture_is_gone(storage):
    key = keys.original(SHA256, "jpg")
    storage.put(key, PICTURE)
    storage.delete(key)
    assert not storage.has(key)


def test_two_replicas_that_store_the_same_at_once_both_succeed_and_one_writes(server):
    replicas = [open_storage(server.url, ACCESS) for _ in range(2)]
    key = keys.thumbnail(keys.original(SHA256, "jpg"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: replicas[number % 2].put(key, PICTURE), range(32)))
    written = (server.buckets / "cars" / "pictures" / key).stat().st_mtime_ns
    replicas[0].put(key, PICTURE)
    assert replicas[1].get(key) == PICTURE
    assert (server.buckets / "cars" / "pictures" / key).stat().st_mtime_ns == written


def test_a_server_without_conditional_puts_is_written_to_as_it_is(server):
    storage = open_storage(f"{server.url}&conditional=false", ACCESS)
    key = keys.original(SHA256, "jpg")
    storage.put(key, PICTURE)
    storage.put(key, PICTURE)
    assert storage.get(key) == PICTURE


def test_lists_all_of_its_prefix_and_nothing_else(server):
    storage = open_storage(server.url.replace("/pictures", "/listed"), ACCESS)
    made = [keys.original(hashlib.sha256(bytes([number])).hexdigest(), "jpg") for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: storage.put(key, b"12345"), made))
    storage.put(keys.thumbnail(made[0]), b"123")
    (server.buckets / "cars" / "listed" / "originals" / "notes.txt").write_text("an operator's")
    found = list(storage.keys())
    assert {file.key: file.size_bytes for file in found} == {**dict.fromkeys(made, 5), keys.thumbnail(made[0]): 3}
    assert all(file.modified.tzinfo is not None for file in found)


def test_takes_no_key_that_leads_elsewhere(storage):
    for key in ("", "../other/x.jpg", f"originals/00/{SHA256}-00000000.jpg"):
        for use in (storage.get, storage.open, storage.has, storage.delete, lambda key: storage.put(key, b"")):
            with pytest.raises(ValueError, match="is not the key of a picture"):
                use(key)


def test_is_503_while_the_server_is_away_and_goes_on_without_a_restart(server, storage):
    key = keys.original(SHA256, "jpg")
    storage.put(key, PICTURE)
    server.stop()
    for use in (
        lambda: storage.put(keys.original(SHA256, "jpg"), PICTURE),
        lambda: storage.get(key),
        lambda: storage.has(key),
        lambda: storage.delete(key),
        lambda: list(storage.keys()),
        storage.check,
    ):
        with pytest.raises(PicturesUnavailable, match="does not answer") as caught:
            use()
        assert caught.value.headers == {"Retry-After": "5"}
    server.start()
    storage.check()
    assert storage.get(key) == PICTURE


def test_opens_while_the_server_is_away_and_works_when_it_has_come(server):
    server.stop()
    storage = open_storage(server.url, ACCESS)
    server.start()
    storage.check()


@pytest.mark.parametrize(
    ("of", "access", "said"),
    [
        ("cars", Access(ACCESS.access_key, "wrong"), "403 SignatureDoesNotMatch"),
        ("cars", Access("WRONG", ACCESS.secret_key), "404 XAdminUserNotFound"),
        ("elsewhere", ACCESS, "404 NoSuchBucket"),
    ],
)
def test_refuses_at_start_a_bucket_that_refuses(server, of, access, said):
    with pytest.raises(ValueError, match=f"the bucket {of} refuses: {said}"):
        open_storage(server.url.replace("//cars", f"//{of}"), access)


def test_a_bucket_that_is_removed_meanwhile_is_503_with_the_reason(server):
    folder = server.buckets / "gone"
    folder.mkdir()
    storage = open_storage(server.url.replace("//cars", "//gone"), ACCESS)
    folder.rmdir()
    for use in (lambda: storage.put(keys.original(SHA256, "jpg"), b"1"), storage.check):
        with pytest.raises(PicturesUnavailable, match=r"refuses .404 NoSuchBucket."):
            use()
    with pytest.raises(PicturesUnavailable, match="404 NoSuchBucket"):  # not an unknown picture
        storage.get(keys.original(SHA256, "jpg"))


def test_no_text_of_ours_holds_a_key(server, storage, capfd, caplog):
    texts = [repr(ACCESS), str(ACCESS), repr(storage), str(vars(storage))]
    wrong = Access("AKIDWHICHISWRONG", "the-wrong-secret")
    try:
        open_storage(server.url, wrong)
    except ValueError as error:
        texts.append(f"{error!r} {error.__cause__!r}")
    server.stop()
    try:
        storage.check()
    except Problem as problem:
        texts.append(f"{problem!r} {problem.__cause__!r} {problem.document(None)}")
    texts += [*capfd.readouterr(), caplog.text]
    assert len(texts) == 9
    for secret in (ACCESS.access_key, ACCESS.secret_key, wrong.access_key, wrong.secret_key):
        assert secret is not None
        assert not any(secret in text for text in texts)


def test_the_environment_of_other_tools_changes_nothing(server):
    code = "import sys; from cars.storage import *; open_storage(sys.argv[1], Access(*sys.argv[2:])).check()"
    foreign = {"AWS_SESSION_TOKEN": "x", "AWS_ACCESS_KEY_ID": "x", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}
    command = [sys.executable, "-c", code, server.url, ACCESS.access_key or "", ACCESS.secret_key or ""]
    subprocess.run(command, env={**os.environ, **foreign}, check=True)


def test_a_full_bucket_is_507(answering):
    handler, url = answering
    handler.status = 200
    handler.body = b'<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>'
    storage = open_storage(url, ACCESS)
    for status, code in ((507, "XMinioStorageFull"), (403, "QuotaExceeded")):
        handler.status = status
        handler.body = f"<Error><Code>{code}</Code></Error>".encode()
        with pytest.raises(UploadStorageFull, match="nothing was stored"):
            storage.put(keys.original(SHA256, "jpg"), PICTURE)


def test_a_server_with_a_passing_fault_is_no_refusal_at_start(answering):
    handler, url = answering
    handler.status = 503
    handler.body = b"<Error><Code>SlowDown</Code></Error>"
    storage = open_storage(url, ACCESS)
    with pytest.raises(PicturesUnavailable, match=r"does not answer .503 SlowDown., try again"):
        storage.check()


def test_a_server_that_takes_connections_and_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(s3, "REQUEST_S", 0.2)
    monkeypatch.setattr(s3, "RETRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        storage = open_storage(f"s3://cars?endpoint=http://127.0.0.1:{silent.getsockname()[1]}", ACCESS)
        for use in (lambda: storage.get(keys.original(SHA256, "jpg")), storage.check):
            with pytest.raises(PicturesUnavailable, match="does not answer, try again"):
                use()


def test_reads_all_that_a_url_says():
    assert bucket.parse("s3://cars") == bucket.Bucket("cars")
    assert bucket.parse("s3://cars/a/b%20c/?region=eu-west-1") == bucket.Bucket("cars", "a/b c", region="eu-west-1")
    minio = bucket.parse("s3://cars?endpoint=http://minio:9000/")
    assert minio == bucket.Bucket("cars", endpoint="http://minio:9000", path_style=True)
    virtual = bucket.parse("s3://cars?endpoint=https://s3.example.com&style=virtual&conditional=false")
    assert virtual == bucket.Bucket("cars", endpoint="https://s3.example.com", conditional=False)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://", "expected s3://bucket/prefix"),
        ("s3://x", "expected s3://bucket/prefix"),
        ("s3:///prefix", "expected s3://bucket/prefix"),
        ("s3://key:secret@cars", "keys do not go into the URL"),
        ("s3://cars/../other", "prefix"),
        ("s3://cars/a//b", "prefix"),
        ("s3://cars?secret=abc", "go endpoint, region, style, conditional"),
        ("s3://cars?style=path&style=path", "each once"),
        ("s3://cars#x", "each once"),
        ("s3://cars?endpoint=minio:9000", "endpoint"),
        ("s3://cars?endpoint=http://key:secret@minio", "endpoint"),
        ("s3://cars?endpoint=http://minio/path", "ends after its host"),
        ("s3://cars?style=dns", "style of an s3:// URL is path or virtual"),
        ("s3://cars?conditional=no", "conditional of an s3:// URL is true or false"),
    ],
)
def test_refuses_a_url_that_is_no_bucket_and_repeats_no_secret(url, said):
    with pytest.raises(ValueError, match=said) as caught:
        open_storage(url, ACCESS)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("access", [Access("key", None), Access(None, "secret")])
def test_refuses_half_of_the_keys(access):
    with pytest.raises(ValueError, match="only one is set"):
        open_storage("s3://cars", access)
