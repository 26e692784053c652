# Two stages: the first builds wheel and packages, the second has neither compiler nor Node.
FROM python:3.11.7-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/studio && /opt/studio/bin/pip install --no-cache-dir uv
COPY requirements.lock pyproject.toml README.md LICENSE ./
COPY tools tools
COPY frontend frontend
COPY templates templates
COPY studio studio
# The wheel's build brings its own Node. Versions are those of the lock file.
RUN /opt/studio/bin/uv build --wheel --out-dir /wheels . \
 && /opt/studio/bin/uv pip install --python /opt/studio --compile-bytecode \
      --constraint requirements.lock /wheels/*.whl

FROM python:3.11.7-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /srv/studio studio \
 && install -d -o studio -g studio /data
COPY --from=build /opt/studio /opt/studio
ENV PATH=/opt/studio/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STUDIO_ENV=production \
    STUDIO_DATA_DIR=/data
USER studio
WORKDIR /srv/studio
VOLUME /data
EXPOSE 8000
CMD ["uvicorn", "studio.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--lifespan", "off", "--timeout-graceful-shutdown", "3"]
