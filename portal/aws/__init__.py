"""The only code that knows boto3: operations as methods, frozen dataclasses out, errors by what one does next."""

from portal.aws import quiet

quiet.pin()
