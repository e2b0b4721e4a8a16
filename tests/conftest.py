"""What all tests share: the reference data, the engines, and a browser."""

from __future__ import annotations

import fcntl
import gc
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from revoir.testing import ENGINES, TestEngine, Unavailable, start_engine

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what is imported and collected to itself: none of it goes before the session ends.

    The garbage collector looked through these millions of objects again and again, while tests
    were collected and in each of them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    """Let the interpreter clear up what was left to itself, now that it ends."""
    gc.unfreeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together, but those of Spark all in one worker.

    To start Spark and warm it takes longer than most files; each worker did.
    """
    from xdist.scheduler import LoadFileScheduling

    if config.getoption("dist") != "loadfile":
        return None

    class OneSpark(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "spark" if "[spark" in nodeid else super()._split_scope(nodeid)

    return OneSpark(config, log)


@pytest.fixture(scope="session")
def once_for_all(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """What takes long to compute, computed by one worker and read by the others.

    ``once_for_all("answers", compute)`` gives what `compute` gave, as JSON keeps it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def held(name: str, compute: Callable[[], Any]) -> Any:
        path = folder / f"{name}.json"
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                path.write_text(json.dumps(compute()), encoding="utf-8")
        return json.loads(path.read_text(encoding="utf-8"))

    return held


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real data; the test is skipped where it is absent."""
    folder = Path(os.environ.get("REVOIR_REFERENCE_DATA") or ROOT / "../shared/data").resolve()
    if not folder.is_dir():
        pytest.skip("no real data here: set REVOIR_REFERENCE_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def _started() -> Iterator[Callable[[str], TestEngine]]:
    """Engines by name, each started when it is first asked for and kept until the session ends.

    A parameter of a session is torn down whenever a test asks for another value: every file
    started PostgreSQL and Spark anew.
    """
    found: dict[str, TestEngine | Unavailable] = {}
    with ExitStack() as running:

        def start(name: str) -> TestEngine:
            if name not in found:
                try:
                    found[name] = running.enter_context(start_engine(name))
                except Unavailable as lack:
                    found[name] = lack
            held = found[name]
            if isinstance(held, Unavailable):
                pytest.skip(str(held))
            return held

        yield start


@pytest.fixture(
    scope="session",
    params=[pytest.param(name, marks=pytest.mark.engines) for name in ENGINES],
)
def _running_engine(
    request: pytest.FixtureRequest, _started: Callable[[str], TestEngine]
) -> TestEngine:
    return _started(request.param)


@pytest.fixture
def engine(request: pytest.FixtureRequest, _running_engine: TestEngine) -> Iterator[TestEngine]:
    """Each engine in turn; `engine.load({"orders": arrow_table})` gives its Ibis tables.

    Marks of `revoir.testing` (`notimpl`, `notyet`, `never`) turn the test into a strict xfail
    on the engines they name.
    """
    for owner in ("notimpl", "notyet", "never"):
        for mark in request.node.iter_markers(owner):
            if _running_engine.name in mark.args:
                reason = mark.kwargs["reason"]
                request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    yield _running_engine
    _running_engine.clear()


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command as the shell does, in this process: ``command("report", path)``.

    To start a process and import everything takes longer than most questions. Help and the names
    of arguments are worded when the program starts; a test of those needs a process of its own.
    """

    def run(*words: object, language: str = "en") -> subprocess.CompletedProcess[str]:
        from revoir.cli import common, main

        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["revoir", *map(str, words)])
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(common, "_chosen", [])  # what --lang said
            patch.setenv("REVOIR_LANG", language)
            with pytest.raises(SystemExit) as left:
                main()
        return subprocess.CompletedProcess(words, int(left.value.code or 0), _held(out), _held(err))

    return run


def _held(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def _chromium() -> str | None:
    """The browser of the system; None lets Playwright look for its own."""
    asked = os.environ.get("REVOIR_CHROMIUM")
    names = (
        "chromium-headless-shell",  # the others open a window for each page, though nobody sees it
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    )
    return asked or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window, with an empty profile and nothing in the background."""
    from playwright.sync_api import Error, sync_playwright

    # The browser's loop runs in this thread from now on; Django's ORM takes whoever asks it after
    # that, in this test or another, for a coroutine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=_chromium(),
                args=[
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ],
            )
        except Error as error:
            pytest.skip(f"no Chromium here: `make test` installs it ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


@pytest.fixture
def page_complaints() -> list[str]:
    """What pages did that they must not; a test that wants them told clears the list."""
    return []


@pytest.fixture
def page_for(browser: Browser, page_complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Open an HTML file: ``page_for(path, width=360, dark=True)``.

    The test fails when the page asks for anything that is not inside the file, or logs an error.
    """
    contexts = []

    def outside(url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:", "about:")):
            page_complaints.append(f"asked for {url}")

    def open_page(
        path: Path, *, width: int = 1280, height: int = 900, dark: bool = False, **options: Any
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: outside(request.url))
        page.on("pageerror", lambda error: page_complaints.append(f"script error: {error}"))
        page.on(
            "console",
            lambda entry: page_complaints.append(entry.text) if entry.type == "error" else None,
        )
        page.goto(path.resolve().as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not page_complaints, page_complaints


@pytest.fixture
def axe() -> Callable[[Page], list[str]]:
    """The accessibility faults of a page, one line each: ``assert not axe(page)``."""
    from axe_playwright_python.sync_playwright import Axe

    def faults(page: Page) -> list[str]:
        found = Axe().run(page).response["violations"]
        return [
            f"{fault['id']}: {fault['help']}: {node['html'][:120]} {node.get('failureSummary', '')}"
            for fault in found
            for node in fault["nodes"]
        ]

    return faults
