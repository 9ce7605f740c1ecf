"""The dashboard and the alert rules are well-formed, and name only metrics and labels that the portal has."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]  # only parsed

from tests.conftest import ROOT
from tests.docs.markdown import page

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES, DASHBOARD = ROOT / "deploy/prometheus-rules.yml", ROOT / "deploy/grafana-dashboard.json"
WORD = re.compile(r"portal_[a-z_]+")
LABELS = re.compile(r"by \(([^)]*)\)|([a-z_]+)=~?\"")


def known() -> tuple[set[str], set[str]]:
    """Return the metrics that docs/operations.md lists, and their labels. Another test compares it with the code."""
    cells = [row[0].strip("`") for row in page("docs/operations.md").rows("Metrics")]
    labels = {label for cell in cells for label in re.findall(r"([a-z]+)=", cell)}
    return {cell.partition("{")[0] for cell in cells}, labels


def expressions() -> Iterator[str]:
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        yield from (target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_expression_names_only_known_metrics_and_labels(expression: str) -> None:
    metrics, labels = known()
    named = {name.removesuffix("_bucket") for name in WORD.findall(expression)}
    assert named
    assert named <= metrics
    used = {label.strip() for grouped, one in LABELS.findall(expression) for label in (grouped or one).split(",")}
    assert used <= labels
    assert expression.count("(") == expression.count(")")


def test_every_metric_is_on_the_dashboard() -> None:
    text = DASHBOARD.read_text(encoding="utf-8")
    assert known()[0] <= {name.removesuffix("_bucket") for name in WORD.findall(text)}


def test_rules_have_what_prometheus_needs() -> None:
    rules = [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
    for rule in rules:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"[0-9]+m", rule["for"])
        assert rule["annotations"]["summary"]
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_panels_do_not_overlap() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
