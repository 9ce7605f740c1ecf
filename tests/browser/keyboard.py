"""A person with a keyboard and no mouse. After every key, they must see where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

MOST_KEYS = 250
HIDDEN = """() => {
    const here = document.activeElement;
    if (!here || here === document.body || here === document.documentElement) return "";
    const name = `${here.tagName} ${here.id || here.name || here.textContent.trim().slice(0, 40)}`;
    const box = here.getBoundingClientRect();
    if (!box.width || !box.height) return `${name} has no size`;
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) {
        return `${name} is outside of the window`;
    }
    const [x, y] = [Math.max(0, box.left) + Math.min(box.width, 8) / 2,
        (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2];
    const top = document.elementFromPoint(x, y);
    if (top && !here.contains(top) && !top.contains(here) && !(here.labels && [...here.labels].includes(top))) {
        return `${name} is behind ${top.tagName} ${top.className}`;
    }
    const style = getComputedStyle(here);
    const hasOutline = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return hasOutline || style.boxShadow !== "none" ? "" : `${name} has the focus, and nothing shows it`;
}"""


class Keyboard:
    """Presses keys in a page; `problems` collects where the focus couldn't be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []

    def go_to(self, target: Locator) -> None:
        """Press Tab until the target has the focus."""
        element = target.first
        element.wait_for(state="attached")
        for _ in range(MOST_KEYS):
            if element.evaluate("element => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
            self._look()
        raise AssertionError(f"Tab never reaches {target} on {self.page.url}")

    def write(self, target: Locator, text: str) -> None:
        self.go_to(target)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def pick(self, target: Locator, beginning: str) -> None:
        """Choose an option by typing how it begins."""
        self.go_to(target)
        self.page.keyboard.type(beginning)

    def check(self, target: Locator) -> None:
        self.go_to(target)
        if not target.first.is_checked():
            self.page.keyboard.press("Space")

    def choose(self, chosen: Locator, target: Locator) -> None:
        """Tab to the radio button that is chosen, then press the arrow key until the target is."""
        self.go_to(chosen)
        for _ in range(MOST_KEYS):
            if target.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
            self._look()
        raise AssertionError(f"The arrow key never reaches {target} on {self.page.url}")

    def press(self, target: Locator) -> None:
        """Follow a link or press a button, and wait for the next page."""
        self.go_to(target)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def open(self, target: Locator) -> None:
        """Follow a link that opens a dialog, and wait for that."""
        self.go_to(target)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("dialog").wait_for()

    def _look(self) -> None:
        if problem := self.page.evaluate(HIDDEN):
            self.problems.append(f"{self.page.url}: {problem}")
