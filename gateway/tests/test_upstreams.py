import re

import pytest

from gateway import upstreams

KNOWN = ["digit", "anomaly"]


def test_reads_one_or_more_addresses_for_each_service() -> None:
    entries = ["digit=http://digit:8000/", " anomaly = https://10.0.0.1  http://[::1]:8000 "]
    assert upstreams.parse(entries, KNOWN) == {
        "digit": ["http://digit:8000"],
        "anomaly": ["https://10.0.0.1", "http://[::1]:8000"],
    }


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("weather=http://w:1", "'weather' is not a service, expected some of digit, anomaly"),
        ("http://digit:8000", "'http://digit:8000' is not a service"),
        ("digit", "digit has no address, expected digit=http://host:port"),
        ("digit=", "digit has no address"),
        ("digit=digit:8000", "'digit:8000' is not an address, expected http://host:port"),
        ("digit=ftp://digit", "'ftp://digit' is not an address"),
        ("digit=http://", "'http://' is not an address"),
        ("digit=http://digit:80000", "'http://digit:80000' is not an address"),
        ("digit=http://digit:x", "'http://digit:x' is not an address"),
        ("digit=http://digit:0", "'http://digit:0' is not an address"),
        ("digit=http://digit/predict", "'http://digit/predict' is not an address"),
        ("digit=http://digit?x=1", "'http://digit?x=1' is not an address"),
        ("digit=http://me:secret@digit", "is not an address"),
        ("digit=http://a http://b c", "'c' is not an address"),
    ],
)
def test_refuses_what_is_no_address_of_a_service(entry: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        upstreams.parse([entry], KNOWN)


def test_refuses_a_service_that_is_named_twice() -> None:
    with pytest.raises(ValueError, match="digit is named twice; several addresses are separated by blanks"):
        upstreams.parse(["digit=http://a", "digit=http://b"], KNOWN)


def test_requires_every_service() -> None:
    upstreams.require({"digit": ["http://a"], "anomaly": ["http://b"]}, KNOWN)
    with pytest.raises(ValueError, match="has no address of anomaly: add anomaly=http://anomaly:8000"):
        upstreams.require({"digit": ["http://a"]}, KNOWN)
