# The portal for production: one image for web, worker and beat; compose.yaml shows how they stand together.
FROM python:3.11-slim AS packages
COPY requirements.txt /
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r /requirements.txt

FROM python:3.11-slim
RUN useradd --system --create-home --uid 1000 gatehouse
COPY --from=packages /venv /venv
COPY manage.py /gatehouse/
COPY portal /gatehouse/portal
COPY accounts /gatehouse/accounts
COPY federation /gatehouse/federation
COPY templates /gatehouse/templates
COPY static /gatehouse/static
WORKDIR /gatehouse
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DEBUG=off VAR_DIR=/var/lib/gatehouse
# The static files are the same everywhere, so they are collected once; what the settings need for it stays in this line.
RUN install -d -o gatehouse /var/lib/gatehouse && \
    SECRET_KEY=collecting SEALING_KEYS=v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= PORTAL_URL=https://gatehouse.invalid \
    ALLOWED_HOSTS=gatehouse.invalid DATABASE_URL=sqlite:////tmp/none CELERY_BROKER_URL=redis://gatehouse.invalid/0 \
    CACHE_URL=redis://gatehouse.invalid/1 EMAIL_URL=smtp://gatehouse.invalid python manage.py collectstatic --noinput
USER gatehouse
EXPOSE 8000
CMD ["gunicorn", "--config", "python:portal.supervisor.web", "--bind", "0.0.0.0:8000", "portal.wsgi"]
