# The portal's image, for every process: see compose.yaml. The last command is the web process's.

# The packages are installed where pip is, and copied from there. Only wheels: neither image has a compiler.
FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/portal/.venv
COPY requirements-production.txt /opt/portal/
RUN /opt/portal/.venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r /opt/portal/requirements-production.txt

FROM python:3.11-slim-bookworm
# A fixed number, so that a host's rules can name the user.
RUN groupadd --gid 10001 portal && useradd --uid 10001 --gid portal --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin portal
WORKDIR /opt/portal
COPY --from=packages /opt/portal/.venv .venv
COPY config.py gunicorn.conf.py wsgi.py ./
COPY deploy/__init__.py deploy/deadlines.py deploy/
COPY jobs jobs
COPY migrations migrations
COPY portal portal
# Compiled here, because the processes can't write to their own files.
RUN python -m compileall -q config.py gunicorn.conf.py wsgi.py deploy jobs migrations portal
ENV PATH=/opt/portal/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8000
# Long enough to start: a machine under load imports everything in several seconds.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "--workers", "2", "--threads", "4", "--bind", "0.0.0.0:8000", "wsgi:app"]
