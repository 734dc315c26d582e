# syntax=docker/dockerfile:1

# Two stages: pip, the build backend and their caches stay in the first. The base image is named without a registry,
# so it comes from wherever the builder is configured to look.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS build
# 1: the solver is compiled (see setup.py), which takes a C compiler from the image's distribution: --build-arg COMPILE=1.
ARG COMPILE=0
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/lockwright
RUN if [ "$COMPILE" = 1 ]; then apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev; fi
# Requirements first: they change less often than the code, and their layer is reused. Every file is hash-checked.
# An index or a CA other than the default comes in as a secret, so that neither is left in the image:
#   docker build --secret id=pip,src=$HOME/.config/pip/pip.conf .
COPY requirements/build.txt requirements/native.txt requirements/run.txt requirements/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/lockwright/bin/python -m pip install --require-hashes -r requirements/run.txt \
    -r requirements/$([ "$COMPILE" = 1 ] && echo native || echo build).txt
COPY pyproject.toml setup.py README.md LICENSE ./
COPY transport transport
COPY resolver resolver
COPY service service
RUN LOCKWRIGHT_COMPILE=$COMPILE \
    /opt/lockwright/bin/python -m pip install --no-deps --no-build-isolation --no-index . \
 && /opt/lockwright/bin/python -m pip uninstall --yes mypy mypy-extensions ast-serialize librt pathspec setuptools pip

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
