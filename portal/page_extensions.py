"""The Flask extensions of the pages, configured in portal/pages.py."""

from __future__ import annotations

from flask import request
from flask_bootstrap import Bootstrap5
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_wtf import CSRFProtect

from portal import network
from portal.extensions import db

login = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(lambda: network.host(request.remote_addr))
bootstrap = Bootstrap5()


@limiter.request_filter
def _before_counting() -> bool:
    """End the transaction before the limiter asks Redis; health checks aren't limited and don't ask."""
    db.session.commit()
    return request.blueprint == "health"
