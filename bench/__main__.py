"""`python -m bench [NAME …]`: measures every figure that the documents claim, against its peer in the same run.

Ratios and sizes, not times: a time on one machine says nothing about another.
"""

import argparse
import importlib
import sys

from bench import peers_digit

NAMES = {
    "scoring": "server CPU per POST /anomaly against a constant answer and the seed's stack",
    "batch": "rows per second of /anomaly/batch against parsing its JSON alone",
    "memory": "resident memory of the service alone after 10,000 requests",
    "start": "seconds from the start of the process to ready, for the record",
    "digit": "server CPU and p50 per POST /predict against FastAPI with torch and with Keras (--torch-python, …)",
    "digit_zip": "pictures per second in one ZIP against one by one (--torch-python)",
    "digit_memory": "memory of the digit service alone after 10,000 requests, and its start",
    "skab": "detection on SKAB, causal, one configuration (--data)",
    "false_alarms": "real against nominal false-alarm rate on every data set (--data)",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(f"{n}: {h}" for n, h in NAMES.items()))
    parser.add_argument("--data", help="folder with skab/, nab/, cnc_wear/, ai4i/; without it those are skipped")
    parser.add_argument("--torch-python", metavar="FILE", help="a Python with torch, fastapi and uvicorn for the peer")
    parser.add_argument("--keras-python", metavar="FILE", help="a Python with keras, fastapi and uvicorn for the peer")
    options = parser.parse_args()
    for name in options.names or NAMES:
        if name not in NAMES:
            parser.error(f"{name} is not one of {', '.join(NAMES)}")
        print(f"\n{name}: {NAMES[name]}")
        module = importlib.import_module(f"bench.{name}")
        needs_data = getattr(module, "NEEDS_DATA", False)
        if needs_data and not options.data:
            print("skipped: give the data with --data")
            continue
        needs_peers = getattr(module, "NEEDS_PEERS", False)
        peers = [peers_digit.pythons(options.torch_python, options.keras_python)] if needs_peers else []
        for row in module.measure(*([options.data] if needs_data else peers)):
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
