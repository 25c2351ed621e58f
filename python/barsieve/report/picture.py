"""The head of a report as a picture, drawn by a browser without a window."""

import shutil
from pathlib import Path
from typing import Any, NoReturn

from barsieve.core.errors import refuse

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 1200
# A picture is a glance: verdict, headline figures, the price, one trade explained.
GLANCE = """
    #result h3, #result .scroll, .tables, #price-help, #price ~ section, footer, .skip
    { display: none !important }
    section { padding-top: 1.6rem !important }
    .masthead { padding-block: 1.4rem 1.2rem !important }
    .tall { height: 470px !important }
"""


def find_browser() -> str | None:
    """Return the path of a browser that can draw a page, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _refuse(what: str, expected: str, fix: str) -> NoReturn:
    refuse(what, expected=expected, found="none", fix=fix)


def _playwright() -> Any:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        fix = "pip install 'barsieve[report]'"
        _refuse("playwright", "the extra 'report'", fix)
    return sync_playwright


def check_picture(picture: Path) -> None:
    """Raise InputError when playwright or a browser is missing, or the name is bad."""
    _playwright()
    if find_browser() is None:
        fix = f"install one of {', '.join(BROWSERS)}"
        _refuse("browser", "a browser to draw the page with", fix)
    if picture.suffix != ".png" or not picture.parent.is_dir():
        fix = "name one with --picture"
        refuse(
            str(picture),
            expected="a .png file in a folder that exists",
            found="not that",
            fix=fix,
        )


def write_picture(report: Path, picture: Path) -> None:
    """Draw the head of a report, with the middle trade of its first profile, as PNG.

    Raises InputError as `check_picture` does.
    """
    check_picture(picture)
    browser = find_browser()
    with _playwright()() as playwright:
        # Root, as in containers, has no sandbox; the page is our own.
        window = playwright.chromium.launch(
            executable_path=browser, args=["--no-sandbox"]
        )
        page = window.new_page(
            viewport={"width": WIDTH, "height": 900}, color_scheme="light"
        )
        page.goto(report.resolve().as_uri())
        page.wait_for_selector("html[data-ready]")
        page.add_style_tag(content=GLANCE)
        _show_the_middle_trade(page)
        # Let the charts follow the style and draw.
        page.wait_for_timeout(500)
        picture.write_bytes(page.screenshot(full_page=True))
        window.close()


def _show_the_middle_trade(page: Any) -> None:
    # The style hides the table, so its buttons are pressed by script.
    page.evaluate(
        """() => {
            const pages = document.getElementById('page-number').textContent;
            const after = document.getElementById('page-after');
            const half = Math.floor(Number(pages.split(' ').at(-1)) / 2);
            for (let k = 0; k < half; k++) after.click();
        }"""
    )
    trades = page.locator("#trade-table [data-trade]")
    if trades.count():
        trades.nth(trades.count() // 2).evaluate("row => row.click()")
    for _ in range(4):
        page.locator("#price-chart").press("-")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
