from painted import GREY, RED, Running, picture


def test_prometheus_sees_uploads_recognitions_and_refusals(service: Running) -> None:
    service.stored(picture(RED))
    service.upload(picture(RED))
    service.upload(b"hello", "note.txt")
    service.stored(picture(GREY))
    service.client.post("/inference/batch", json=[1, 2])
    lines = service.client.get("/metrics").text.splitlines()
    for line in (
        'cars_uploads_total{result="stored"} 2.0',
        'cars_uploads_total{result="duplicate"} 1.0',
        'cars_recognitions_total{backend="local",reason="recognized"} 1.0',
        'cars_recognitions_total{backend="local",reason="no_car"} 1.0',
        'cars_refused_total{reason="not-an-image"} 1.0',
        'cars_model_info{backend="local",model="painted",model_version="1"} 1.0',
        'cars_stage_seconds_count{stage="recognise"} 2.0',
        "cars_queue_length 0.0",
        "cars_writes_limit 1024.0",
    ):
        assert line in lines
