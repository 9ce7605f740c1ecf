"""IBM's Equal Access engine: a second opinion on accessibility, with other rules than axe's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.judges.installed import package_file

if TYPE_CHECKING:
    from playwright.sync_api import Page

NOT_OUR_FAILURES = (
    # HTML gives a form a role only when it has a name; the engine counts every form as a landmark.
    ("aria_form_label_unique", "<form"),
    ("aria_landmark_name_unique", '"form" landmarks'),
    # A link that skips the navigation comes before every landmark. axe knows that.
    ("aria_content_in_landmark", 'class="visually-hidden-focusable skip"'),
    # What scrolls has to be reached by keyboard (axe: scrollable-region-focusable), so it can be focused.
    ("element_tabbable_role_valid", "role 'region'"),
    ("element_tabbable_role_valid", "role 'group'"),
    # A chart's title appears beside the mouse. It isn't the text of a link.
    ("label_name_visible", "/svg["),
    # The name of an account is an email address here, which HTML allows: see its table of autofill fields.
    ("input_autocomplete_valid", 'autocomplete="username"'),
)
"""Rules in which the engine disagrees with the standard or with axe, and a part of the finding."""
FIND = """async () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    const report = await new ace.Checker().check(document, ["WCAG_2_2", "WCAG_2_1", "IBM_Accessibility"]);
    return report.results
        .filter(({value}) => value[0] === "VIOLATION" && value[1] === "FAIL")
        .map(({ruleId, message, path, snippet}) => `${ruleId}: ${message} ${path.dom} ${snippet}`);
}"""


def accessibility_failures(page: Page) -> list[str]:
    """Return what fails for certain, one line each. What a person has to look at isn't included."""
    page.evaluate(package_file("accessibility-checker-engine/ace.js").read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(FIND)
    failures = [
        one for one in found if not any(one.startswith(rule) and part in one for rule, part in NOT_OUR_FAILURES)
    ]
    return [f"{page.url}: {one}" for one in failures]
