"""AWS's error codes, sorted for :mod:`portal.aws.errors`.

Sources: the API references of IAM, STS, Organizations and Secrets Manager ("Common Errors" and each operation's
"Errors"), botocore's retry table.
"""

# Too many calls: botocore's own list.
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

# Somebody else is changing the same thing, or it was changed a moment ago.
BUSY = frozenset({"ConcurrentModification", "ConcurrentModificationException", "EntityTemporarilyUnmodifiable"})

# Expired, too early or too late; new credentials, the right clock or a little time help.
TIMING = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "ReportGenerationLimitExceeded",
        "ReportInProgress",
        "RequestExpired",
        "RequestTimeTooSkewed",
    }
)

# The permission or the credentials are not good enough.
DENIALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "RegionDisabledException",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)

# What was asked for is wrong. LimitExceeded is a quota in IAM, not a rate.
REFUSALS = frozenset(
    {
        # Of a secret, by the KMS key of the account.
        "EncryptionFailure",
        "EntityTooLarge",
        "InvalidAuthenticationCode",
        "InvalidCertificate",
        "InvalidInput",
        "InvalidInputException",
        # Secrets Manager: a secret that is scheduled for deletion.
        "InvalidRequestException",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidParameterException",
        "InvalidPublicKey",
        "InvalidUserType",
        "KeyPairMismatch",
        "LimitExceeded",
        "LimitExceededException",
        "MalformedCertificate",
        "MalformedPolicyDocument",
        "MissingParameter",
        "NotSupportedService",
        "PackedPolicyTooLarge",
        "PasswordPolicyViolation",
        "PolicyEvaluation",
        "PolicyNotAttachable",
        "SessionDurationEscalationException",
        "UnmodifiableEntity",
        "UnrecognizedPublicKeyEncoding",
        "ValidationError",
        "ValidationException",
    }
)

# What is there stands in the way.
CONFLICTS = frozenset(
    {
        "DeleteConflict",
        "DuplicateCertificate",
        "DuplicateSSHPublicKey",
        "EntityAlreadyExists",
        "NameConflict",
        "ResourceExistsException",
    }
)

# Not there.
ABSENT = frozenset(
    {
        "AWSOrganizationsNotInUseException",
        "NoSuchEntity",
        "ReportExpired",
        "ReportNotPresent",
        "ResourceNotFoundException",
    }
)

# AWS's own fault; whether it did what was asked is open.
OWN_FAULTS = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServiceError",
        "InternalServerError",
        "ServiceException",
        "ServiceFailure",
        "ServiceUnavailable",
    }
)
