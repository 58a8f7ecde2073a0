from starlette.testclient import TestClient


def test_tells_which_files_the_networks_are(client: TestClient) -> None:
    listed = client.get("/models").json()
    assert listed["next_cursor"] is None
    items = {item["stage"]: item for item in listed["items"]}
    assert [item["role"] for item in listed["items"]] == ["detection", "orientation", "recognition"]
    sha256s = client.get("/health").json()["sha256"]
    for stage, item in items.items():
        assert item["sha256"] == sha256s[stage]
        assert item["size_bytes"] > 100_000
        assert (item["version"], item["licence"], item["provider"]) == ("v6", "Apache-2.0", "CPUExecutionProvider")
    assert (items["det"]["precision"], items["rec"]["precision"]) == ("int8", "float")
    assert {"ch", "en"} <= set(items["rec"]["languages"])
