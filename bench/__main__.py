"""`python -m bench [NAME …]`: measures every figure that the documents claim, against its peer in the same run.

Ratios and sizes, not times: a time on one machine says nothing about another.
"""

import argparse
import importlib
import sys
from typing import Any

from bench import peers_digit, peers_ocr

NAMES = {
    "scoring": "server CPU per POST /anomaly against a constant answer and the seed's stack",
    "batch": "rows per second of /anomaly/batch against parsing its JSON alone",
    "memory": "resident memory of the service alone after 10,000 requests",
    "start": "seconds from the start of the process to ready, for the record",
    "gateway": "p50 and CPU of the one process, and of Traefik before a service, against the service alone",
    "digit": "server CPU and p50 per POST /predict against FastAPI with torch and with Keras (--torch-python, …)",
    "digit_zip": "pictures per second in one ZIP against one by one (--torch-python)",
    "digit_answers": "MNIST's test images through /predict, and the same in ZIPs (--mnist)",
    "digit_memory": "memory of the digit service alone after 10,000 requests, and its start",
    "ocr": "CPU of a picture and accuracy by group against rapidocr (--data, --rapidocr-python)",
    "ocr_service": "requests per second against rapidocr_api, and memory after 2,000 requests (--data, …)",
    "ocr_pdf": "a page by its text layer against bare pypdfium2, and searchable PDFs (--data)",
    "cars": "CPU of a recognition against decoding and bare ONNX Runtime (--data)",
    "cars_uploads": "durable uploads of 300 kB against a bare loop of write and fsync",
    "cars_archive": "a page of the list by each filter, and statistics, with 100,000 files",
    "cars_export": "the longest pause of other requests while 100,000 files are exported",
    "cars_memory": "memory of the cars service alone after mixed requests (--data)",
    "cars_accuracy": "accuracy by set, calibration and refusals (--data)",
    "skab": "detection on SKAB, causal, one configuration (--data)",
    "false_alarms": "real against nominal false-alarm rate on every data set (--data)",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(f"{n}: {h}" for n, h in NAMES.items()))
    parser.add_argument(
        "--data", help="folder with skab/, nab/, cnc_wear/, ai4i/, ocr/dev/, cars/; without it those are skipped"
    )
    parser.add_argument("--mnist", help="folder with MNIST's four files; without it what needs them is skipped")
    parser.add_argument("--torch-python", metavar="FILE", help="a Python with torch, fastapi and uvicorn for the peer")
    parser.add_argument("--keras-python", metavar="FILE", help="a Python with keras, fastapi and uvicorn for the peer")
    parser.add_argument(
        "--rapidocr-python", metavar="FILE", help="a Python with rapidocr and rapidocr_api for the peer"
    )
    options = parser.parse_args()
    for name in options.names or NAMES:
        if name not in NAMES:
            parser.error(f"{name} is not one of {', '.join(NAMES)}")
        print(f"\n{name}: {NAMES[name]}")
        module = importlib.import_module(f"bench.{name}")
        wanted = next((option for option in ("data", "mnist") if hasattr(module, f"NEEDS_{option.upper()}")), None)
        given = getattr(options, wanted) if wanted else None
        if wanted and not given:
            print(f"skipped: give the folder with --{wanted}")
            continue
        arguments: list[Any] = [given] if given else []
        if hasattr(module, "NEEDS_PEERS"):
            arguments.append(peers_digit.pythons(options.torch_python, options.keras_python))
        if hasattr(module, "NEEDS_RAPIDOCR"):
            arguments.append(peers_ocr.pythons(options.rapidocr_python))
        for row in module.measure(*arguments):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
