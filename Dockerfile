# syntax=docker/dockerfile:1

# Two stages: pip, the build backend and their caches stay in the first. The base image is named without a registry,
# so it comes from wherever the builder is configured to look.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/lockwright
# Requirements first: they change less often than the code, and their layer is reused. Every file is hash-checked.
# An index or a CA other than the default comes in as a secret, so that neither is left in the image:
#   docker build --secret id=pip,src=$HOME/.config/pip/pip.conf .
COPY requirements/build.txt requirements/run.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/lockwright/bin/python -m pip install --require-hashes -r requirements/build.txt -r requirements/run.txt
COPY pyproject.toml setup.py README.md LICENSE ./
COPY transport transport
COPY resolver resolver
COPY service service
RUN /opt/lockwright/bin/python -m pip install --no-deps --no-build-isolation --no-index . \
 && /opt/lockwright/bin/python -m pip uninstall --yes setuptools pip

FROM ${PYTHON_IMAGE}
# A fixed number, so that volumes keep their owner from one image to the next.
RUN groupadd --system --gid 10001 lockwright \
 && useradd --system --uid 10001 --gid lockwright --home-dir /var/cache/lockwright --shell /usr/sbin/nologin lockwright \
 && install --directory --owner lockwright --group lockwright /var/cache/lockwright
COPY --from=build /opt/lockwright /opt/lockwright
ENV PATH=/opt/lockwright/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LOCKWRIGHT_CACHE__DIR=/var/cache/lockwright
USER lockwright
WORKDIR /var/cache/lockwright
VOLUME /var/cache/lockwright
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["lockwright", "health"]
# SIGTERM drains: no new work, and what is under way is finished (service.drain_limit).
STOPSIGNAL SIGTERM
ENTRYPOINT ["lockwright"]
CMD ["serve", "--host", "0.0.0.0"]
