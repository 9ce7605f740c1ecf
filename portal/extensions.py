"""The database of the current app, which pages, commands and jobs share."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy

from portal.models.base import Base

db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
