# One image for web, workers, beat, Flower and the one-shot migration: the command decides.

FROM python:3.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --only-binary=:all: -r /tmp/requirements.txt

FROM python:3.13-slim-bookworm
RUN groupadd --gid 10001 chronos \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin chronos
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=chronos_project.settings
WORKDIR /srv/chronos
# Root owns the code: whoever runs it cannot change it.
COPY . .
RUN python -m compileall -q .
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", \
    "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/health/live', timeout=3)"]
CMD ["python", "-m", "uvicorn", "chronos_project.asgi:application", "--host", "0.0.0.0", \
    "--port", "8080", "--no-access-log", "--lifespan", "off", "--timeout-graceful-shutdown", "10"]
