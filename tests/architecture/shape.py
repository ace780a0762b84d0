"""The shape of the house as rules: each takes a tree and yields a sentence for what breaks it.

Only the standard library is needed, so a plain pytest guards the shape without any other tool.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from tests.architecture.places import AT_THE_TOP, LAYERS, ONE_PLACE

Rule = Callable[[Path], Iterator[str]]

FILE_LINES_MAX = 400
"""A file fits the head."""
FUNCTION_LINES_MAX = 50
"""A function fits a screen."""
ROOT_BRANCHES_MAX = 5
"""A composition root may be long, but a reader goes through it from top to bottom."""
TEST_WORDS_MIN = 4
"""A shorter name is a label, not a sentence."""

GIVE_IT_ONE = ": give it one in tests/architecture/places.py, or another name"

PROGRAMS = ("common", "cloud_controller", "edge_agent")
PURE = (
    "common/rules",
    "common/messages",
    "common/words",
    "cloud_controller/flows",
    "edge_agent/flows",
)
PURE_FILES = ("channels", "codec", "errors", "ids", "machine", "seals", "topics", "words")

WAITS_READS_WRITES_OR_ROLLS = frozenset(
    "asyncio concurrent glob http logging multiprocessing os pathlib queue random sched secrets "
    "select selectors shutil signal socket sqlite3 ssl subprocess sys tempfile threading time "
    "urllib uuid aiohttp aiosmtplib aiosql alembic asyncinotify paho PIL prometheus_client psutil "
    "pydantic_settings pyzbar qrcode reportlab rich sqlalchemy structlog typer zxingcpp".split()
)
DEEDS = frozenset({"breakpoint", "eval", "exec", "input", "open", "print"})
LOOKS_AT_THE_CLOCK = frozenset({"now", "today", "utcnow"})
BORROWED_WORDS = frozenset("handler info manager node util utils".split())
"""Words that fit everything. A helper is none of them here: he is a person who helps."""

_COMMENTED = {".sql": "--", ".js": "//", ".service": "#", ".socket": "#", ".sh": "#", "": "#"}
_UNEXPLAINED = re.compile(
    r"#\s*(?:noqa(?!: [A-Z]+\d+(?:, ?[A-Z]+\d+)* - \w)"
    r"|type:\s*ignore(?!\[[\w, -]+\]\s+(?:#|-) \w)"
    r"|pragma: no cover(?! - \w))"
)
_SKIPS = frozenset({"skip", "skipif", "xfail", "importorskip", "skipTest"})
_MACHINE_PATH = re.compile(r"(?<![\w.~*}])/(?:home|root|work|Users)/[\w.]+")
_READ_AS_TEXT = frozenset(
    ".cfg .conf .css .html .ini .js .json .lock .md .py .service .sh .socket .sql .svg .toml .txt "
    ".yaml .yml".split()
) | {""}


def files_fit_the_head(root: Path) -> Iterator[str]:
    """A file has at most 400 lines."""
    for path in _sources(root):
        lines = len(path.read_text().splitlines())
        if lines > FILE_LINES_MAX:
            yield f"{_name(root, path)} has {lines} lines; {FILE_LINES_MAX} fit the head"


def functions_fit_a_screen(root: Path) -> Iterator[str]:
    """A function has at most 50 lines; only a composition root may be longer."""
    for path, function in _functions(root):
        lines = (function.end_lineno or 0) - function.lineno + 1
        if path.name != "main.py" and lines > FUNCTION_LINES_MAX:
            yield f"{_at(root, path, function)} {function.name} has {lines} lines"


def composition_roots_are_flat(root: Path) -> Iterator[str]:
    """A function of a main.py branches at most five times."""
    forks = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case)
    for path, function in _functions(root):
        branches = sum(isinstance(node, forks) for node in ast.walk(function))
        if path.name == "main.py" and branches > ROOT_BRANCHES_MAX:
            yield f"{_at(root, path, function)} {function.name} branches {branches} times"


def files_open_with_a_sentence(root: Path) -> Iterator[str]:
    """The first thing in a file says in one sentence what it is for."""
    for path in _sources(root):
        if path.suffix == ".py":
            first = (ast.get_docstring(_tree(path)) or "").split("\n\n")[0]
        else:
            first = _first_comment(path)
        if not re.fullmatch(r"\S.+[.?!:)`]", first, re.DOTALL) or " " not in first:
            yield f"{_name(root, path)} does not open with a sentence"


def no_file_is_empty(root: Path) -> Iterator[str]:
    """A file says something; only an __init__.py may have nothing but its sentence."""
    for path in _sources(root):
        if path.suffix == ".py":
            told = 1 if path.name == "__init__.py" else 2
            empty = len(_tree(path).body) < told
        else:
            empty = not path.read_text().strip()
        if empty:
            yield f"{_name(root, path)} has nothing in it"


def only_listed_names(root: Path) -> Iterator[str]:
    """A layer holds the names it was given and no others."""
    for layer, listed in LAYERS.items():
        for path in sorted(root.glob(f"{layer}/*")):
            if not _made_by_tools(root, path) and path.stem not in {*listed, "__init__", "py"}:
                yield f"{_name(root, path)} has no place in {layer}{GIVE_IT_ONE}"


def only_listed_names_at_the_top(root: Path) -> Iterator[str]:
    """The top of the repository is the table of contents."""
    for path in sorted(root.iterdir()):
        if path.name not in AT_THE_TOP and not _made_by_tools(root, path):
            yield f"{path.name} has no place at the top{GIVE_IT_ONE}"


def core_is_pure(root: Path) -> Iterator[str]:
    """The core and the flows do nothing that waits, reads, writes or rolls dice."""
    for path in _sources(root):
        if not _is_pure(_name(root, path)):
            continue
        for node in ast.walk(_tree(path)):
            if (why := _impurity(node)) is not None:
                yield f"{_at(root, path, node)} {why}"


def one_place_each(root: Path) -> Iterator[str]:
    """A library that could be exchanged is known in one place."""
    for path in _sources(root, *PROGRAMS):
        for node in ast.walk(_tree(path)) if path.suffix == ".py" else ():
            for library in _imported(node):
                places = ONE_PLACE.get(library)
                if places and not _name(root, path).startswith(places):
                    allowed = " and ".join(places)
                    yield f"{_at(root, path, node)} knows {library}; only {allowed} may"


def silenced_checks_say_why(root: Path) -> Iterator[str]:
    """A noqa, a type: ignore or a pragma names its rule, and its reason on the same line."""
    for path in _pythons(root):
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type == tokenize.COMMENT and _UNEXPLAINED.search(token.string):
                yield f"{_name(root, path)}:{token.start[0]} says nothing of why: {token.string}"


def skipped_tests_say_why(root: Path) -> Iterator[str]:
    """A test that is passed over says why."""
    for path in _pythons(root, "tests"):
        for node in ast.walk(_tree(path)):
            if _is_unexplained_skip(node):
                yield f"{_at(root, path, node)} skips without a reason"


def tests_are_sentences(root: Path) -> Iterator[str]:
    """The name of a test says what is true."""
    for path, function in _functions(root, "tests"):
        words = [word for word in function.name.split("_") if word]
        if words[:1] == ["test"] and len(words) - 1 < TEST_WORDS_MIN:
            yield f"{_at(root, path, function)} {function.name} is not a sentence"


def nothing_happens_on_import(root: Path) -> Iterator[str]:
    """A module of the programs defines; it does nothing, but for the one that Alembic runs."""
    for path in _pythons(root, *PROGRAMS):
        for node in _tree(path).body if path.name != "env.py" else ():
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                yield f"{_at(root, path, node)} does something on import"


def tasks_have_a_name_and_a_parent(root: Path) -> Iterator[str]:
    """Every task is started by a group, under a name."""
    for path in _pythons(root, *PROGRAMS):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and (why := _stray_task(node)) is not None:
                yield f"{_at(root, path, node)} {why}"


def names_are_our_own(root: Path) -> Iterator[str]:
    """No file or class is called by a word that says nothing."""
    for path in _pythons(root, *PROGRAMS):
        classes = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef)]
        for name in (path.stem, *(node.name for node in classes)):
            words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)}
            if words & BORROWED_WORDS:
                yield f"{_name(root, path)}: {name} is a word that says nothing"


def no_path_of_one_machine(root: Path) -> Iterator[str]:
    """No file knows somebody's own folders."""
    for path in _files(root):
        if path.suffix not in _READ_AS_TEXT:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if (found := _MACHINE_PATH.search(line)) is not None:
                yield f"{_name(root, path)}:{number} knows {found[0]}"


RULES: tuple[Rule, ...] = (
    files_fit_the_head,
    functions_fit_a_screen,
    composition_roots_are_flat,
    files_open_with_a_sentence,
    no_file_is_empty,
    only_listed_names,
    only_listed_names_at_the_top,
    core_is_pure,
    one_place_each,
    silenced_checks_say_why,
    skipped_tests_say_why,
    tests_are_sentences,
    nothing_happens_on_import,
    tasks_have_a_name_and_a_parent,
    names_are_our_own,
    no_path_of_one_machine,
)


def _impurity(node: ast.AST) -> str | None:
    if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncWith | ast.AsyncFor):
        return "waits"
    for library in _imported(node):
        if library in WAITS_READS_WRITES_OR_ROLLS:
            return f"imports {library}"
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in DEEDS:
            return f"calls {node.func.id}"
        if isinstance(node.func, ast.Attribute) and node.func.attr in LOOKS_AT_THE_CLOCK:
            return "looks at the clock"
    return None


def _is_pure(name: str) -> bool:
    stem = name.removesuffix(".py")
    return name.endswith(".py") and (
        stem.startswith(tuple(f"{layer}/" for layer in PURE))
        or stem in {f"common/{file}" for file in PURE_FILES}
    )


def _imported(node: ast.AST) -> set[str]:
    match node:
        case ast.Import(names=names):
            return {alias.name.partition(".")[0] for alias in names}
        case ast.ImportFrom(module=str(module), level=0):
            return {module.partition(".")[0]}
        case _:
            return set()


def _stray_task(call: ast.Call) -> str | None:
    match call.func:
        case ast.Attribute(value=ast.Name(id="asyncio"), attr="create_task" | "ensure_future"):
            return "starts a task without a parent"
        case ast.Attribute(attr="create_task") if "name" not in {
            word.arg for word in call.keywords
        }:
            return "starts a task without a name"
        case _:
            return None


def _is_unexplained_skip(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=args, keywords=keywords):
            told = any(word.arg in {"reason", "msg"} for word in keywords)
            return name in _SKIPS and not told and not (name in {"skip", "skipTest"} and args)
        case ast.FunctionDef(decorator_list=marks) | ast.AsyncFunctionDef(decorator_list=marks):
            return any(isinstance(mark, ast.Attribute) and mark.attr in _SKIPS for mark in marks)
        case _:
            return False


def _first_comment(path: Path) -> str:
    sign = _COMMENTED[path.suffix]
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#!")]
    first = lines[0] if lines else ""
    return first.removeprefix(sign).strip() if first.startswith(sign) else ""


def _functions(
    root: Path, *folders: str
) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in _pythons(root, *folders):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def _pythons(root: Path, *folders: str) -> Iterator[Path]:
    return (path for path in _sources(root, *folders) if path.suffix == ".py")


def _sources(root: Path, *folders: str) -> Iterator[Path]:
    """What people write to be run: Python, SQL, shell, units."""
    for path in _files(root):
        top = path.relative_to(root).parts[0]
        is_script = path.suffix == "" and path.read_bytes()[:2] == b"#!"
        written = is_script or (path.suffix in _COMMENTED and path.suffix != "")
        if (written or path.suffix == ".py") and (not folders or top in folders):
            yield path


def _files(root: Path, folder: Path | None = None) -> Iterator[Path]:
    for path in sorted((folder or root).iterdir()):
        if _made_by_tools(root, path):
            continue
        if path.is_dir():
            yield from _files(root, path)
        elif path.is_file():
            yield path


def _made_by_tools(root: Path, path: Path) -> bool:
    ignored = root / ".gitignore"
    patterns = ignored.read_text().splitlines() if ignored.exists() else []
    kept_out = [pattern.strip("/") for pattern in patterns if not pattern.startswith("#")]
    return path.name in {".git", "__pycache__"} or any(fnmatch(path.name, p) for p in kept_out if p)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _at(root: Path, path: Path, node: ast.AST) -> str:
    return f"{_name(root, path)}:{getattr(node, 'lineno', 1)}"
