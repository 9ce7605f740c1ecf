"""nginx accepts its configuration, as it stands and as compose.yaml changes it."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from embedded.redis import free_port
from tests.conftest import ROOT
from tests.deploy.compose import services, words
from tests.deploy.judges import judge

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a certificate, and an empty one for configurations."""
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run(
        [judge("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=portal.example.com",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    (tmp_path / "conf.d").mkdir()
    return tmp_path


def problems(folder: Path) -> str:
    """Return what nginx says about the files in conf.d. It tries to listen, so it gets ports that are free."""
    ports = {"80": str(free_port()), "443": str(free_port())}
    for file in (folder / "conf.d").iterdir():
        text = file.read_text().replace("/etc/ssl/portal", str(folder))
        file.write_text(re.sub(r"(?<=listen )(\[::\]:)?(80|443)\b", lambda at: (at[1] or "") + ports[at[2]], text))
    main = folder / "nginx.conf"
    main.write_text(f"pid {folder}/pid; error_log stderr; events {{}} http {{ include {folder}/conf.d/*.conf; }}")
    done = subprocess.run([judge("nginx"), "-t", "-p", folder, "-c", main], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 and "[warn]" not in done.stderr else done.stderr


def test_nginx_accepts_the_file_as_it_stands(folder: Path) -> None:
    (folder / "conf.d/portal.conf").write_text((ROOT / "deploy/nginx.conf").read_text())
    assert problems(folder) == ""


def test_nginx_logs_nothing_that_people_search_for() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text()
    logged = text[text.index("log_format") :].partition(";")[0]
    assert not {"$request", "$request_uri", "$args", "$query_string", "$http_referer"} & set(
        re.findall(r"\$\w+", logged)
    )
    assert "access_log /var/log/nginx/access.log without_query;" in text


def test_nginx_accepts_the_file_with_the_name_and_address_of_compose(folder: Path) -> None:
    script = words(services()["proxy"])[-1].replace("/etc/nginx", str(folder)).replace("exec nginx", ": nginx")
    script = script.replace(" /portal.conf", f" {ROOT / 'deploy/nginx.conf'}")
    given = {"PATH": os.environ["PATH"], "PORTAL_HOST": "portal.shop.example"}
    subprocess.run(["/bin/sh", "-ec", script], env=given, check=True)
    text = (folder / "conf.d/portal.conf").read_text()
    assert "example.com" not in text
    assert text.count(" portal.shop.example;") == 2
    assert "return 301 https://portal.shop.example$request_uri;" in text
    assert "set $portal web:8000;" in text
    assert problems(folder) == ""
