"""Fetching: everything that one account holds, read completely or not at all.

One call per thousand entities and a report, instead of several per IAM user (IAM API reference,
GetAccountAuthorizationDetails and GetCredentialReport). Users are asked about by themselves only where the report says
that they have something else than what is known. SSH public keys are in no list of the account and in no report: they
are read with the one IAM user alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

from accounts.importers.asking import Asking, asking
from accounts.importers.progress import Tell
from accounts.importers.reported_keys import KnownKey, are_as_known, joined
from accounts.importers.staging import Staged
from portal.aws import errors
from portal.aws.iam import IAM
from portal.aws.iam.access_keys import AccessKeyLastUsed, AccessKeyMetadata
from portal.aws.iam.account import EntityType
from portal.aws.iam.credential_report import CredentialReport, CredentialReportRow, ReportState
from portal.aws.iam.credentials import ServiceSpecificCredential, SigningCertificate
from portal.aws.iam.identity_providers import OpenIDConnectProvider, SAMLProvider
from portal.aws.iam.mfa_devices import MFADevice, VirtualMFADevice
from portal.ledger.clock import database_now

ENTITIES = (
    EntityType.USER,
    EntityType.GROUP,
    EntityType.ROLE,
    EntityType.LOCAL_MANAGED_POLICY,
    EntityType.AWS_MANAGED_POLICY,
)
REPORT_TRIES = 15
REPORT_PAUSE_SECONDS = 1.0

READING = "Reading users, groups, roles and policies"
LISTING_KEYS = "Listing access keys that changed"
ASKING_LAST_USE = "Asking for the last use of access keys"
LISTING_MORE = "Listing other credentials"

# A user's name and the time at which it was made: a name alone may have passed to another user since.
Identity: TypeAlias = tuple[str, datetime]


@dataclass(frozen=True)
class Known:
    """What the portal knows of the account's IAM users, by unique id, before it is read.

    `with_hardware_mfa` had MFA devices that are not virtual a day ago or less; `certificates` are the times of upload.
    """

    access_keys: Mapping[str, tuple[KnownKey, ...]]
    with_hardware_mfa: frozenset[str]
    certificates: Mapping[str, frozenset[datetime]]


@dataclass(frozen=True)
class Who:
    """An IAM user of whom GetAccountAuthorizationDetails told."""

    user_id: str
    user_name: str
    create_date: datetime

    @property
    def identity(self) -> Identity:
        """How the report names it."""
        return self.user_name, self.create_date


@dataclass(frozen=True)
class Singly:
    """What was asked user by user, by unique id; of nobody else anything is told.

    `last_uses` is by access key id, of keys whose last use the report does not tell.
    """

    access_keys: Mapping[str, tuple[AccessKeyMetadata, ...]]
    last_uses: Mapping[str, AccessKeyLastUsed]
    mfa_devices: Mapping[str, tuple[MFADevice, ...]]
    certificates: Mapping[str, tuple[SigningCertificate, ...]]


@dataclass(frozen=True)
class Snapshot:
    """What an account held at `read_at`, and at `report_time` by the credential report. Lists are by user name."""

    read_at: datetime
    alias: str
    summary: Mapping[str, int]
    password_policy: Mapping[str, object] | None
    staged: Staged
    users: Mapping[str, Who]
    report_time: datetime
    report: Mapping[Identity, CredentialReportRow]
    virtual_mfa: Mapping[str, tuple[VirtualMFADevice, ...]]
    service_credentials: Mapping[str, tuple[ServiceSpecificCredential, ...]]
    saml_providers: tuple[SAMLProvider, ...]
    oidc_providers: tuple[OpenIDConnectProvider, ...]
    known: Known
    singly: Singly


def fetch(iam: IAM, staged: Staged, *, known: Known, tell: Tell) -> Snapshot:
    """Read the account; the entities go into `staged`.

    :raises portal.aws.errors.AWSError: when any part could not be read; then nothing is known.
    """
    read_at = database_now()
    with asking() as ask:
        meanwhile = _Meanwhile(iam, ask)
        summary = iam.get_account_summary()
        users = _read_entities(iam, staged, summary, tell)
        report = meanwhile.report.result()
        rows = {(row.user, row.user_creation_time): row for row in report.rows}
        virtual = _by_name(meanwhile.virtual_mfa.result())
        return Snapshot(
            read_at=read_at,
            alias=next(iter(meanwhile.aliases.result()), ""),
            summary=summary,
            password_policy=meanwhile.password_policy.result(),
            staged=staged,
            users=users,
            report_time=report.generated_time,
            report=rows,
            virtual_mfa=virtual,
            service_credentials=_by_name(meanwhile.service_credentials.result()),
            saml_providers=meanwhile.saml.result(),
            oidc_providers=meanwhile.oidc.result(),
            known=known,
            singly=_Singly(iam, ask, list(users.values()), rows, known, tell).read(virtual),
        )


class _Meanwhile:
    """What is asked while the entities are read: none of it waits for another."""

    def __init__(self, iam: IAM, ask: Asking) -> None:
        self.report = ask.meanwhile(partial(_report, iam))
        self.virtual_mfa = ask.meanwhile(iam.list_virtual_mfa_devices)
        self.service_credentials = ask.meanwhile(partial(iam.list_service_specific_credentials, all_users=True))
        self.aliases = ask.meanwhile(iam.list_account_aliases)
        self.password_policy = ask.meanwhile(partial(_password_policy, iam))
        self.saml = ask.meanwhile(iam.list_saml_providers)
        self.oidc = ask.meanwhile(partial(_oidc_providers, iam))


def _read_entities(iam: IAM, staged: Staged, summary: Mapping[str, int], tell: Tell) -> dict[str, Who]:
    users: dict[str, Who] = {}
    total = sum(summary.get(counted, 0) for counted in ("Users", "Groups", "Roles", "Policies"))
    for page in iam.get_account_authorization_details(filter=ENTITIES):
        staged.add(page)
        users |= {user.user_id: Who(user.user_id, user.user_name, user.create_date) for user in page.user_detail_list}
        tell(READING, len(staged), max(total, len(staged)))
    return users


def _report(iam: IAM) -> CredentialReport:
    """Wait for the report; one that expires or is made anew between two calls is asked for again."""
    for _ in range(REPORT_TRIES):
        if _is_made(iam):
            with suppress(errors.NotFound):
                return iam.get_credential_report()
        time.sleep(REPORT_PAUSE_SECONDS)
    raise errors.TryLater(
        operation="GenerateCredentialReport", code="ReportInProgress", message="AWS is still making the report."
    )


def _is_made(iam: IAM) -> bool:
    try:
        return iam.generate_credential_report() == ReportState.COMPLETE
    except errors.TryLater as error:
        if error.code != "ReportGenerationLimitExceeded":
            raise
        # AWS makes no more reports for now; the last one may still be there, and says from when it is.
        return True


def _password_policy(iam: IAM) -> dict[str, object] | None:
    try:
        return asdict(iam.get_account_password_policy())
    except errors.NotFound:
        return None


def _oidc_providers(iam: IAM) -> tuple[OpenIDConnectProvider, ...]:
    found = []
    for arn in iam.list_open_id_connect_providers():
        with suppress(errors.NotFound):
            found.append(iam.get_open_id_connect_provider(open_id_connect_provider_arn=arn))
    return tuple(found)


class _OfAUser(Protocol):
    @property
    def user_name(self) -> str | None: ...


Thing = TypeVar("Thing", bound=_OfAUser)


def _by_name(things: Iterable[Thing]) -> dict[str, tuple[Thing, ...]]:
    """The things of each user; those of nobody are left out."""
    found: dict[str, list[Thing]] = {}
    for thing in things:
        if thing.user_name:
            found.setdefault(thing.user_name, []).append(thing)
    return {name: tuple(held) for name, held in found.items()}


@dataclass(frozen=True)
class _Singly:
    """Reading what no list of the account tells, of those users alone of whom it is not known."""

    iam: IAM
    ask: Asking
    users: Sequence[Who]
    rows: Mapping[Identity, CredentialReportRow]
    known: Known
    tell: Tell

    def read(self, virtual: Mapping[str, object]) -> Singly:
        """Keys first: which of them to ask about is known only then."""
        access_keys = self._listed(self.iam.list_access_keys, self._with_other_keys(), LISTING_KEYS)
        unknown = list(self._keys_not_told_of(access_keys))
        return Singly(
            access_keys=access_keys,
            last_uses={
                key_id: used
                for key_id, used in self.ask.each(self._last_used, unknown, doing=ASKING_LAST_USE, tell=self.tell)
                if used is not None
            },
            mfa_devices=self._listed(self.iam.list_mfa_devices, self._with_other_mfa(virtual), LISTING_MORE),
            certificates=self._listed(
                self.iam.list_signing_certificates, self._with_other_certificates(), LISTING_MORE
            ),
        )

    def _listed(
        self, listing: Callable[..., tuple[Thing, ...]], users: Collection[Who], doing: str
    ) -> dict[str, tuple[Thing, ...]]:
        """The list of each of the users; whoever is gone by now has none."""

        def listed(who: Who) -> tuple[Thing, ...] | None:
            try:
                return listing(user_name=who.user_name)
            except errors.NotFound:
                return None

        found = self.ask.each(listed, users, doing=doing, tell=self.tell)
        return {who.user_id: held for who, held in found if held is not None}

    def _with_other_keys(self) -> list[Who]:
        """Those whose row tells of other keys than are known, and those of whom the report does not tell."""
        return [who for who in self.users if not self._are_keys_known(who)]

    def _are_keys_known(self, who: Who) -> bool:
        row = self.rows.get(who.identity)
        return row is not None and are_as_known(row, self.known.access_keys.get(who.user_id, ()))

    def _keys_not_told_of(self, listed: Mapping[str, tuple[AccessKeyMetadata, ...]]) -> Iterator[str]:
        """Ids of keys whose last use no column of the report tells without doubt."""
        for who in self.users:
            keys = keys_of(who.user_id, listed, self.known)
            row = self.rows.get(who.identity)
            told = {} if row is None or not keys else joined(row, keys)
            yield from (key.access_key_id for key in keys if key.access_key_id not in told)

    def _last_used(self, access_key_id: str) -> AccessKeyLastUsed | None:
        try:
            return self.iam.get_access_key_last_used(access_key_id=access_key_id)
        except errors.NotFound:
            return None

    def _with_other_mfa(self, virtual: Mapping[str, object]) -> list[Who]:
        """Those who have MFA by the report, or may have, and no virtual device: theirs is of another kind."""
        return [
            who
            for who in self.users
            if who.user_name not in virtual and who.user_id not in self.known.with_hardware_mfa and self._may_have(who)
        ]

    def _may_have(self, who: Who) -> bool:
        row = self.rows.get(who.identity)
        return row is None or row.mfa_active

    def _with_other_certificates(self) -> list[Who]:
        known = self.known.certificates
        return [who for who in self.users if self._certificates_of(who) != known.get(who.user_id, frozenset())]

    def _certificates_of(self, who: Who) -> Set[datetime]:
        row = self.rows.get(who.identity)
        if row is None:
            return self.known.certificates.get(who.user_id, frozenset())
        return {at for at in row.cert_last_rotated if at is not None}


def keys_of(user_id: str, listed: Mapping[str, tuple[AccessKeyMetadata, ...]], known: Known) -> tuple[KnownKey, ...]:
    """The user's keys: as they were just listed, or as they are known because nothing says otherwise."""
    before = known.access_keys.get(user_id, ())
    if user_id not in listed:
        return before
    last_rotated = {key.access_key_id: key.last_rotated for key in before}
    return tuple(
        KnownKey(key.access_key_id, key.create_date, key.status == "Active", last_rotated.get(key.access_key_id))
        for key in listed[user_id]
    )
