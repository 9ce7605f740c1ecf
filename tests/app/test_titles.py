"""Every template compiles, and every page has a unique title."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from flask import render_template
from jinja2 import meta, nodes

from tests.app.routes import Caller, Route, all_routes
from tests.app.world import SUPPORT, World

if TYPE_CHECKING:
    from flask import Flask


def parsed(app: Flask) -> dict[str, nodes.Template]:
    """Return the app's own templates, parsed, by name; those of extensions are left out."""
    loader = app.jinja_loader
    assert loader is not None
    return {name: app.jinja_env.parse(loader.get_source(app.jinja_env, name)[0]) for name in loader.list_templates()}


def test_every_template_compiles_and_finds_everything_it_names(app: Flask) -> None:
    trees, known = parsed(app), app.jinja_env
    assert trees
    for name, tree in trees.items():
        known.get_template(name)
        # Jinja notices an unknown filter or test only when it renders that branch.
        assert {node.name for node in tree.find_all(nodes.Filter)} - known.filters.keys() == set(), name
        assert {node.name for node in tree.find_all(nodes.Test)} - known.tests.keys() == set(), name
        for named in meta.find_referenced_templates(tree):
            if named is not None:
                known.get_template(named)


def test_every_page_template_sets_a_title(app: Flask) -> None:
    trees = parsed(app)
    bases = {name: base for name, tree in trees.items() if (base := _base_of(tree))}
    assert bases
    untitled = []
    for page in bases:
        chain = [page]
        while chain[-1] in bases:
            chain.append(bases[chain[-1]])
        # The last template is the base, whose title block is empty.
        if not any(_has_title(trees[name]) for name in chain[:-1]):
            untitled.append(page)
    assert untitled == []


@pytest.mark.parametrize("viewer", ["merchant", "support", "anonymous"])
def test_every_page_has_a_unique_title(app: Flask, world: World, viewer: str) -> None:
    caller = Caller(app, {"merchant": world.own.user, "support": SUPPORT, "anonymous": None}[viewer])
    pages = defaultdict(set)
    for route in all_routes(app):
        if "GET" in route.methods and not route.rule.endpoint.endswith("static"):
            url = route.url(world.own.arguments | {"token": "x"})
            if title := _title(caller, route, url):
                pages[title].add((route.rule.endpoint, route.choices))
    with app.test_request_context():
        empty = _text_of_title(render_template("base.html"))
    assert len(pages) > 3
    assert empty
    assert empty.strip(" ·") not in {title.strip(" ·") for title in pages}
    assert {title: shared for title, shared in pages.items() if len(shared) > 1} == {}


def _title(caller: Caller, route: Route, url: str) -> str:
    """Return the title of the page at this address, or "" if this viewer gets no page there."""
    answer = caller.send("GET", url)
    if answer.status_code != 200 or answer.mimetype != "text/html":
        return ""
    return _text_of_title(answer.text) or f"no title: {route}"


def _text_of_title(page: str) -> str:
    title = BeautifulSoup(page, "html.parser").title
    return title.get_text(strip=True) if title else ""


def _base_of(tree: nodes.Template) -> str:
    extends = tree.find(nodes.Extends)
    return str(extends.template.value) if extends and isinstance(extends.template, nodes.Const) else ""


def _has_title(tree: nodes.Template) -> bool:
    return any(block.name == "title" and block.body for block in tree.find_all(nodes.Block))
