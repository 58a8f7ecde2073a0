"""The documents say everything that there is, and nothing that is not."""

import ast
import contextlib
import importlib
import importlib.util
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest
from gateway.routes import ROUTES
from servicekit.problems import Problem

ROOT = Path(__file__).parents[1]
SERVICES = tuple(route.name for route in ROUTES)
PACKAGES = ("servicekit", *SERVICES, "gateway")
SOURCES = {
    "servicekit": "libs/servicekit/src",
    **{service: f"services/{service}/src" for service in SERVICES},
    "gateway": "gateway/src",
}
SELF_EVIDENT_LINES = 4  # a body this short says what it does
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# In parts, so that this file passes its own test.
REGISTRIES = ["py" + "pi.org", "python" + "hosted", "registry." + "npmjs", "crates" + ".io", "artifact" + "ory"]
LOCAL_PATHS = ["/" + name + "/" for name in ("work", "root", "home", "tmp")]

StartGateway = Callable[..., contextlib.AbstractContextManager[Any]]


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


@cache
def tracked() -> tuple[Path, ...]:
    """Returns the files that are, or would be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return tuple(sorted(path for name in listed if (path := ROOT / name).is_file()))


def rows(document: str, heading: str | None = None) -> Iterator[list[str]]:
    """Yields the cells of each table row, below one heading of level 2 where it is given."""
    text = (ROOT / document).read_text(encoding="utf-8")
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def running(start_gateway: StartGateway) -> Iterator[str]:
    """Yields the address of a running gateway."""
    with start_gateway() as gateway:
        yield gateway.base_url


# --- settings ---------------------------------------------------------------------------------------------------------


def load_configuration_tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("configuration_tables", ROOT / "docs" / "configuration.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_is_documented_as_it_is() -> None:
    tables = load_configuration_tables()
    document = tables.DOCUMENT.read_text(encoding="utf-8")
    assert tables.written(document) == document, "run `python docs/configuration.py`"


def test_every_setting_has_a_description_and_a_table() -> None:
    tables = load_configuration_tables()
    for settings in tables.TABLES.values():
        for field_name, field in settings.model_fields.items():
            assert field.description, f"{settings.__module__}: {field_name}"
    declared = {importlib.import_module(f"{package}.settings").Settings for package in (*SERVICES, "gateway")}
    assert declared <= set(tables.TABLES.values())


def test_every_setting_that_the_gateway_shares_is_named() -> None:
    paragraph = (ROOT / "docs" / "configuration.md").read_text("utf-8").partition("What the gateway was given of ")[2]
    named = re.findall(r"`([A-Z_]+)`", paragraph.partition(" then counts")[0])
    assert sorted(name.lower() for name in named) == sorted(importlib.import_module("gateway.app").SHARED)


def test_every_variable_that_a_document_names_exists() -> None:
    tables = load_configuration_tables()
    fields = {
        f"{settings.model_config.get('env_prefix') or 'LINESIDE_'}": {field.upper() for field in settings.model_fields}
        for settings in tables.TABLES.values()
    }
    known = {f"{prefix}{field}" for prefix, names in fields.items() for field in names}
    # LINESIDE_ speaks to every service, of which some have more fields than all have in common
    known |= {f"LINESIDE_{field}" for names in fields.values() for field in names}
    known |= {"LINESIDE_BASE_URL", "LINESIDE_API_KEY"}  # of the tests
    known |= set(re.findall(r"^#([A-Z_0-9]+)=", (ROOT / "deploy" / ".env.example").read_text("utf-8"), re.MULTILINE))
    variables = re.compile(rf"\b(?:{'|'.join(fields)})[A-Z][A-Z_]*[A-Z]\b")
    places = [*documents(), *(path for path in tracked() if "deploy" in path.parts or path.name == "Dockerfile")]
    for path in places:
        for variable in variables.findall(path.read_text("utf-8")):
            assert variable in known, (name(path), variable)


# --- problems ---------------------------------------------------------------------------------------------------------


EXTRAS = ("ocr.pdf.pymupdf",)  # modules of packages that nobody has to install


def import_everything() -> None:
    for package in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            is_run = module.name.rpartition(".")[2] in ("__main__", "env") or ".migrations" in module.name
            if not is_run and module.name not in EXTRAS:
                importlib.import_module(module.name)


def subclasses(class_: type[Problem]) -> Iterator[type[Problem]]:
    for subclass in class_.__subclasses__():
        if subclass.__module__.partition(".")[0] in PACKAGES:
            yield subclass
        yield from subclasses(subclass)


def declared_problems() -> dict[str, int]:
    import_everything()
    return {problem.slug: problem.status for problem in subclasses(Problem)}


def test_every_problem_is_documented_and_every_documented_one_exists() -> None:
    import_everything()
    declared: dict[str, dict[str, int]] = {}
    for problem in subclasses(Problem):
        declared.setdefault(problem.__module__.partition(".")[0], {})[problem.slug] = problem.status
    for package, heading in {"servicekit": "Every service", **{service: service for service in SERVICES}}.items():
        documented = {cells[0].strip("`"): int(cells[1]) for cells in rows("docs/problems.md", heading)}
        assert documented == declared[package]


def test_a_problem_that_two_services_know_means_the_same_in_both() -> None:
    import_everything()
    kinds = {(problem.slug, problem.title, problem.status) for problem in subclasses(Problem)}
    assert sorted(slug for slug, _, _ in kinds) == sorted({problem.slug for problem in subclasses(Problem)})
    homes = [(problem.slug, problem.__module__.partition(".")[0]) for problem in subclasses(Problem)]
    assert sorted(homes) == sorted(set(homes))
    for problem in subclasses(Problem):
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", problem.slug)
        assert 400 <= problem.status < 600


def test_every_problem_that_nginx_makes_is_documented() -> None:
    site = (ROOT / "deploy" / "nginx" / "lineside.conf").read_text()
    block = site.partition("$lineside_slug {")[2].partition("}")[0]
    made = {line.split()[1].rstrip(";") for line in block.strip().splitlines()}
    documented = {cells[0].strip("`") for cells in rows("docs/problems.md", "Made by a proxy")}
    assert documented <= made
    assert made <= documented | set(declared_problems())


def test_every_problem_that_a_document_names_exists() -> None:
    known = set(declared_problems()) | {cells[0].strip("`") for cells in rows("docs/problems.md", "Made by a proxy")}
    for path in documents():
        for slug in re.findall(r"`(?:4\d\d|5\d\d) `?([a-z]+(?:-[a-z]+)+)`", path.read_text("utf-8")):
            assert slug in known, (name(path), slug)
        for slug in re.findall(r"\b[45]\d\d `([a-z]+(?:-[a-z]+)+)`", path.read_text("utf-8")):
            assert slug in known, (name(path), slug)


# --- metrics ----------------------------------------------------------------------------------------------------------


def scraped(base_url: str) -> dict[str, str]:
    """Returns the type of every metric of a running gateway, by name."""
    text = httpx2.get(f"{base_url}/metrics").text
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    return {metric: type_ for metric, type_ in types.items() if not metric.endswith("_created")}


def test_every_metric_is_documented_and_every_documented_one_exists(running: str) -> None:
    httpx2.post(f"{running}/anomaly", json={"values": [1.2, 0.9, 1.1]})
    documented = {cells[0].strip("`"): cells[1] for cells in rows("docs/metrics.md") if len(cells) == 4}
    assert documented == scraped(running)


def test_every_metric_that_a_document_names_exists(running: str) -> None:
    known = set(scraped(running))
    families = "|".join(("http_server", "websocket_server", "process", *SERVICES))
    outputs = r"(?!digit_logit|digit_threshold|ocr_page|ocr_line|ocr_carea|ocr_par)"  # of a network, of hOCR
    pattern = re.compile(rf"`({outputs}(?:{families})_[a-z_]+)(?:\{{[^`]*)?`")
    for path in documents():
        for metric in pattern.findall(path.read_text("utf-8")):
            base = re.sub(r"_(bucket|count|sum)$", "", metric)
            assert metric in known or base in known, (name(path), metric)


# --- routes -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def operations(running: str) -> set[str]:
    """Returns `METHOD /path` of everything in the OpenAPI document."""
    paths = httpx2.get(f"{running}/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


def test_every_route_is_documented_and_every_documented_one_exists(operations: set[str]) -> None:
    documented = {
        re.sub(r"\?.*", "", cells[0].strip("`"))
        for document in ("docs/api.md", *(f"services/{service}/docs/api.md" for service in SERVICES))
        for cells in rows(document)
        if cells[0].strip("`").split(" ")[0] in METHODS
    }
    assert documented == operations


def matching(operations: set[str], method: str, path: str) -> bool:
    for operation in operations:
        known_method, _, template = operation.partition(" ")
        pattern = "".join(r"[^/]+" if p.startswith("{") else re.escape(p) for p in re.split(r"(\{\w+\})", template))
        if known_method == method and re.fullmatch(pattern, path):
            return True
    return False


def commands() -> Iterator[tuple[Path, str]]:
    """Yields each command of the documents' shell blocks, continued lines joined."""
    for path in documents():
        for block in re.findall(r"```(?:bash|sh)\n(.*?)```", path.read_text("utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip() and not line.startswith("#"):
                    yield path, line


def test_every_call_of_an_example_exists(operations: set[str]) -> None:
    pages = {"GET /", "GET /docs", *(f"GET /{service}/{path}" for service in SERVICES for path in ("", "docs"))}
    found = 0
    for path, command in commands():
        for part in re.split(r"[|;&]{1,2}\s", command):
            url = re.search(r"https?://[\w.:-]+(/[^\s'\"?]*)?", part)
            if "curl " not in part or not url:
                continue
            explicit = re.search(r"-X\s*([A-Z]+)", part)
            method = explicit[1] if explicit else "POST" if re.search(r"\s(-d|--data)", part) else "GET"
            call = f"{method} {url[1] or '/'}"
            found += 1
            assert call in pages or matching(operations, method, url[1] or "/"), (name(path), call)
    assert found > 5


def test_every_call_that_a_document_names_exists(operations: set[str]) -> None:
    pattern = re.compile(rf"`({'|'.join(METHODS)}) (/(?:{'|'.join(SERVICES)})[^\s`?…]*)[^`]*`")
    pages = {f"GET /{service}{slash}" for service in SERVICES for slash in ("", "/")}
    for path in documents():
        for method, called in pattern.findall(path.read_text("utf-8")):
            plain = re.sub(r"\{\w+\}", "x", called)
            known = any(matching(operations, method, each) for each in (plain, plain.rstrip("/")))
            assert known or f"{method} {called}" in pages, (name(path), method, called)


# --- commands ---------------------------------------------------------------------------------------------------------


def makefile_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE)) | {".venv/.run", ".venv/.dev"}


def test_every_make_target_of_the_documents_exists() -> None:
    targets = makefile_targets()
    for path in documents():
        text = path.read_text("utf-8")
        spans = re.findall(r"`(make [^`]+)`", text) + [command for at, command in commands() if at == path]
        for span in spans:
            for target in re.findall(r"(?:^|\s)make ([a-z.][a-z./-]*)", span):
                assert target in targets, (name(path), span)


def test_every_make_target_has_a_line_of_help() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()
    for target in phony:
        assert re.search(rf"^{target}:.*## \S", text, re.MULTILINE), target


@cache
def help_of(*arguments: str) -> str:
    """Returns what `python -m … --help` prints; fails where it does not know the command."""
    command = [sys.executable, "-m", *arguments, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def command_lines() -> Iterator[tuple[Path, str, str]]:
    for path in documents():
        text = path.read_text("utf-8")
        found = re.findall(rf"`((?:\S*/)?python -m (?:{'|'.join(SERVICES)}) [^`\n]+)`", text)
        found += [command for at, command in commands() if at == path]
        for line in found:
            for service in SERVICES:
                if f"python -m {service} " in line:
                    yield path, service, line.partition(f"python -m {service} ")[2]


def test_every_command_line_of_the_documents_exists() -> None:
    for path, service, line in command_lines():
        subcommand, *rest = re.split(r"\s+[|>;#&]", line)[0].split()
        if "…" in subcommand or subcommand == "--help":
            continue
        text = help_of(service, subcommand)
        for option in rest:
            if option.startswith("--"):
                assert re.search(rf"{re.escape(option.split('=')[0])}\b", text), (name(path), line)


def test_every_file_that_a_command_runs_exists() -> None:
    for path in documents():
        for script in re.findall(r"python ([\w/.-]+\.py)\b", path.read_text("utf-8")):
            beside = (path.parent / script, ROOT / script)
            is_the_seeds = script == "train.py"
            assert is_the_seeds or any(place.exists() for place in beside), (name(path), script)


def python_blocks(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)


def test_the_python_of_the_customising_guide_runs(tmp_path: Path) -> None:
    _, test = python_blocks("services/anomaly/docs/customising.md")
    (tmp_path / "test_mine.py").write_text(test)
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=.", "test_mine.py"]
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- links and words --------------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """Returns the anchors of a document's headings, as GitHub makes them."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title) for title in titles)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in plain}


def links() -> Iterator[tuple[Path, str]]:
    for path in documents():
        text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            yield path, target


def test_every_internal_link_resolves() -> None:
    broken = []
    for path, target in links():
        file, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        to = (path.parent / file).resolve() if file else path
        if not to.exists() or (anchor and to.suffix == ".md" and anchor not in anchors(to)):
            broken.append(f"{name(path)}: {target}")
    assert not broken


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for at, target in links():
            to = (path.parent / target.partition("#")[0]).resolve()
            if at == path and to.suffix == ".md" and to.exists():
                waiting.append(to)
    assert [name(path) for path in documents() if path not in reached] == []


def test_every_adr_says_context_decision_and_price_and_is_in_the_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text("utf-8")
    for path in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        text = path.read_text("utf-8")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Price"], path.name
        assert f"({path.name})" in index
        assert len(text.split()) < 500, f"{path.name} is more than a page"


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine() -> None:
    found = []
    for path in tracked():
        with contextlib.suppress(UnicodeDecodeError):
            text = path.read_text("utf-8")
            found += [f"{name(path)}: {host}" for host in REGISTRIES if host in text]
            if path.suffix in (".md", ".toml", ".lock", ".service", ".conf"):
                found += [f"{name(path)}: {local}" for local in LOCAL_PATHS if re.search(rf"(?<![\w.}}]){local}", text)]
    assert not found


# --- docstrings -------------------------------------------------------------------------------------------------------


@cache
def modules() -> dict[str, ast.Module]:
    """Returns the syntax tree of each of our modules, by its dotted name."""
    found = {}
    for package, source in SOURCES.items():
        for path in sorted((ROOT / source / package).rglob("*.py")):
            dotted = ".".join(path.relative_to(ROOT / source).with_suffix("").parts).removesuffix(".__init__")
            found[dotted] = ast.parse(path.read_text("utf-8"))
    return found


def test_every_module_has_a_docstring() -> None:
    missing = [dotted for dotted, tree in modules().items() if tree.body and not ast.get_docstring(tree)]
    assert not missing


def used_elsewhere() -> set[tuple[str, str]]:
    """Returns (module, name) of whatever one of our modules takes from another."""
    used = set()
    for tree in modules().values():
        aliases: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    used.add((node.module, alias.name))
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
                used.add((aliases[node.value.id], node.attr))
    return used


def is_self_evident(node: ast.AST) -> bool:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    if node.name == "Settings" or all(isinstance(part, ast.AnnAssign) for part in node.body):
        return True  # fields alone; of settings each field has a description
    first, last = node.body[0], node.body[-1]
    return (last.end_lineno or last.lineno) - first.lineno < SELF_EVIDENT_LINES


def test_whatever_is_used_across_modules_has_a_docstring_or_is_a_few_lines() -> None:
    used, missing = used_elsewhere(), []
    for dotted, tree in modules().items():
        nodes = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        public = [n for n in nodes if (dotted, n.name) in used and not n.name.startswith("_")]
        bare = [n.name for n in public if not ast.get_docstring(n) and not is_self_evident(n)]
        missing += [f"{dotted}.{bare_name}" for bare_name in bare]
    assert not missing
