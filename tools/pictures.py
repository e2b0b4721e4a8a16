"""Make the pictures of the READMEs: the report and the application on the invented shop.

    python tools/pictures.py report          # docs/images/report-*.png
    python tools/pictures.py application     # docs/images/application-*.png: some minutes

The browser is Chromium, as in the tests; REVOIR_CHROMIUM names another.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from revoir.language import LANGUAGES

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SIZE: ViewportSize = {"width": 1180, "height": 740}
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chromium-headless-shell",
)
PATIENCE_SECONDS = 1_200


def report() -> None:
    """Show the first screen of the report, in each language."""
    from revoir.datasets.shop import TITLE

    for language in LANGUAGES:
        with tempfile.TemporaryDirectory() as name, _page(language) as page:
            shop, made = Path(name) / "shop", Path(name) / "report.html"
            _revoir("demo", str(shop), "--lang", language)
            _revoir("report", str(shop), "--lang", language, "--title", TITLE, "-o", str(made))
            page.goto(made.as_uri())
            page.screenshot(path=IMAGES / f"report-{language}.png")


def application() -> None:
    """Show the dashboard that `revoir tour` opens, in each language."""
    import revoir.cli  # noqa: F401 (it loads the commands of the application)
    from revoir_web.cli.tour import PASSWORD, PEOPLE

    for language in LANGUAGES:
        with _tour(language) as address, _page(language) as page:
            page.goto(address)
            page.fill("input[name=login]", PEOPLE["owner"][0])
            page.fill("input[name=password]", PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(address)
            page.goto(address)  # without the word of welcome
            page.wait_for_load_state("networkidle")
            page.screenshot(path=IMAGES / f"application-{language}.png")


@contextmanager
def _page(language: str) -> Iterator[Page]:
    """An empty page of a browser that speaks a language."""
    asked = os.environ.get("REVOIR_CHROMIUM")
    program = asked or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser.new_context(viewport=SIZE, locale=LOCALES[language]).new_page()
        browser.close()


@contextmanager
def _tour(language: str) -> Iterator[str]:
    """The address of a new installation that the invented shop was brought into."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [*_program(), "tour", "--data", folder, "--port", str(port)]
        running = subprocess.Popen(command, env={**os.environ, "REVOIR_LANG": language})
        try:
            _wait(address, running)
            yield address
        finally:
            running.terminate()
            running.wait()


def _wait(address: str, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while running.poll() is None and time.monotonic() < until:
        try:
            urllib.request.urlopen(address, timeout=10).close()
        except (urllib.error.URLError, TimeoutError):
            time.sleep(2)
        else:
            return
    sys.exit(f"nothing answers at {address}")


def _program() -> list[str]:
    return [str(Path(sys.executable).with_name("revoir"))]


def _revoir(*arguments: str) -> None:
    subprocess.run([*_program(), *arguments], check=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["report"]:
            report()
        case ["application"]:
            application()
        case _:
            sys.exit(__doc__)
