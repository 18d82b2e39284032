"""What is logged, and how loud."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        # Beat rings every few seconds, and each ring would be two lines.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # botocore at DEBUG writes access keys and passwords into the log.
        "boto3": {"level": "INFO"},
        "botocore": {"level": "INFO"},
    },
}
