"""The Nu HTML Checker, which validator.w3.org runs: is this HTML, exactly as sent, what the standard allows?"""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

from tests.judges.installed import package_file, program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OF_HTMX = re.compile(r"Attribute “hx-[a-z-]+” not allowed")
"""htmx's attributes, which browsers ignore. Nothing else that isn't in the standard is allowed."""


def html_problems(pages: Mapping[str, str], folder: Path) -> list[str]:
    """Return what is wrong in these pages, given by address: every error and every warning, one line each."""
    jar = package_file("vnu-jar/build/dist/vnu.jar")
    names = {}
    for number, (address, html) in enumerate(pages.items()):
        file = folder / f"{number}.html"
        file.write_text(html, encoding="utf-8")
        names[file.name] = address
    command = [
        program("java"),
        "-jar",
        str(jar),
        "--format",
        "json",
        "--stdout",
        "--exit-zero-always",
        "--no-langdetect",
    ]
    done = subprocess.run([*command, *(str(folder / name) for name in names)], capture_output=True, check=True)
    found = {
        f"{names[one['url'].rsplit('/', 1)[1]]}: {one.get('subType', one['type'])}: {one['message']} "
        f"{one.get('extract', '').strip()!r}"
        for one in json.loads(done.stdout)["messages"]
        if not OF_HTMX.match(one["message"])
    }
    return sorted(found)
