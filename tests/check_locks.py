"""`python tests/check_locks.py UV pip compile OPTION…` says whether the lock files are what `make lock` would make.

Runs the commands of the Makefile's target `lock` again, each into a copy of its lock file, which uv starts from: so a
newer release in the index changes nothing, and a dependency that is missing, gone or out of range does. Exit status 1
where a lock file is not current, 0 where all are, and 0 with a word on standard error without a network.
"""

import difflib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHOWN_LINES = 40
# What uv says when it cannot reach an index; anything else is an error of ours.
NO_NETWORK = ("error sending request", "dns error", "failed to fetch", "connection refused", "network", "timed out")


def commands(makefile: str) -> list[list[str]]:
    """Returns the arguments after `$(COMPILE)` of each line of the target `lock`, the lock file last."""
    target = makefile.partition("\nlock:")[2].split("\n\n")[0]
    lines = [line.strip() for line in target.splitlines() if line.startswith("\t$(COMPILE)")]
    return [line.removeprefix("$(COMPILE)").split() for line in lines]


def compile_again(compiler: list[str], arguments: list[str], folder: Path) -> tuple[Path, Path, str]:
    """Returns the committed lock file, the one made now, and what uv said where it failed."""
    at = arguments.index("-o")
    committed = ROOT / arguments[at + 1]
    made = folder / committed.relative_to(ROOT)
    made.parent.mkdir(parents=True, exist_ok=True)
    if committed.exists():
        shutil.copyfile(committed, made)
    command = [*compiler, *arguments[:at], "-o", str(made), *arguments[at + 2 :]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return committed, made, done.stderr if done.returncode else ""


def difference(committed: Path, made: Path) -> list[str]:
    old = committed.read_text().splitlines() if committed.exists() else []
    name = str(committed.relative_to(ROOT))
    return list(difflib.unified_diff(old, made.read_text().splitlines(), name, "made now", lineterm="", n=1))


def main(compiler: list[str]) -> int:
    if not compiler:
        print("usage: python tests/check_locks.py UV pip compile OPTION…", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        for arguments in commands((ROOT / "Makefile").read_text()):
            committed, made, complaint = compile_again(compiler, arguments, Path(folder))
            if complaint and any(sign in complaint.lower() for sign in NO_NETWORK):
                print("lock files NOT checked: the package index cannot be reached", file=sys.stderr)
                return 0
            if complaint:
                print(f"{committed.relative_to(ROOT)} cannot be made:\n{complaint}", file=sys.stderr)
                return 1
            if changes := difference(committed, made):
                print(*changes[:SHOWN_LINES], "run `make lock` and commit the result", sep="\n", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
