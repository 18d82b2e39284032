"""The IAM users of the demo: people and applications of two organizations, with what hangs on them.

Ages count in days before the demo is loaded. Worth a look: `mia` has a key that is overdue, `payments-api` two active
ones, `fraud-scorer` one that nobody has used for months.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    """An access key: made and last used so many days ago, None where never used."""

    age: int
    used: int | None
    is_active: bool = True


@dataclass(frozen=True)
class DemoUser:
    """One IAM user; `signed_in` is days since the last console sign-in, None where there is no password."""

    name: str
    owner: str
    groups: tuple[str, ...]
    keys: tuple[Key, ...] = ()
    signed_in: int | None = None
    has_mfa: bool = False
    is_application: bool = False


def person(
    name: str, *groups: str, keys: tuple[Key, ...] = (), signed_in: int | None = 1, has_mfa: bool = True
) -> DemoUser:
    """A person's IAM user; the owner is filled in with the organization."""
    return DemoUser(name, name, groups, keys, signed_in, has_mfa)


def application(name: str, owner: str, *groups: str, keys: tuple[Key, ...]) -> DemoUser:
    """An application's IAM user, which a person answers for."""
    return DemoUser(name, owner, groups, keys, is_application=True)


ACME_PROD = {
    "Payments": (
        person("lena", "ledger-readers", "payments-operators", keys=(Key(41, 1),)),
        person("mia", "ledger-readers", "payments-deployers", keys=(Key(97, 2),), signed_in=3),
        person("noah", "ledger-readers", "ledger-writers", keys=(Key(12, 0),)),
        person("priya", "payments-deployers", keys=(Key(64, 4),), signed_in=9),
        person("tomas", "ledger-readers", keys=(Key(29, 11),), signed_in=15, has_mfa=False),
        person("ines", "payments-operators", signed_in=2),
        person("jonas", "ledger-writers", keys=(Key(76, 20), Key(402, 330, is_active=False)), signed_in=20),
        person("wei", "ledger-readers", signed_in=48, has_mfa=False),
        application("ledger-export", "mia", "ledger-readers", keys=(Key(53, 0),)),
        application("ledger-importer", "noah", "ledger-writers", keys=(Key(81, 0),)),
        application("payments-api", "lena", "ledger-writers", keys=(Key(71, 1), Key(3, 0))),
        application("payments-ci", "priya", "payments-deployers", keys=(Key(18, 0),)),
        application("card-settlement", "jonas", "ledger-writers", keys=(Key(35, 0),)),
        application("fraud-scorer", "tomas", "ledger-readers", keys=(Key(88, 86),)),
        application("invoice-mailer", "ines", "ledger-readers", keys=(Key(7, None),)),
        application("refund-worker", "jonas", "ledger-writers", keys=(Key(58, 1), Key(210, 61, is_active=False))),
    ),
    "Platform": (
        person("kai", "platform-engineers", keys=(Key(22, 0),)),
        person("sofia", "platform-engineers", keys=(Key(49, 6),)),
        person("ben", "platform-readers", signed_in=31, has_mfa=False),
        application("terraform", "kai", "platform-engineers", keys=(Key(66, 0),)),
        application("backup-runner", "sofia", "platform-readers", keys=(Key(391, 0),)),
        application("log-shipper", "ben", "platform-readers", keys=(Key(84, 0),)),
    ),
    "Support": (
        person("hugo", "support-readonly"),
        person("zoe", "support-readonly", signed_in=5, has_mfa=False),
        application("ticket-sync", "zoe", "support-readonly", keys=(Key(33, 0),)),
    ),
    "Security": (
        person("olive", "administrators", signed_in=6),
        person("ada", "security-auditors", signed_in=4),
        application("audit-reader", "ada", "security-auditors", keys=(Key(26, 0),)),
    ),
}

ACME_DEV = {
    "Payments": (
        person("lena", "ledger-readers", "ledger-writers", signed_in=8),
        person("mia", "ledger-readers", "ledger-writers", "payments-deployers", keys=(Key(15, 1),)),
        person("noah", "ledger-writers", keys=(Key(44, 3),)),
        person("priya", "payments-deployers", keys=(Key(9, 0),)),
        person("wei", "ledger-readers", signed_in=60, has_mfa=False),
        application("payments-api-dev", "lena", "ledger-writers", keys=(Key(38, 0),)),
        application("payments-ci-dev", "priya", "payments-deployers", keys=(Key(18, 0),)),
        application("ledger-replay", "noah", "ledger-readers", keys=(Key(150, 140, is_active=False),)),
        application("load-tester", "tomas", "ledger-readers", keys=(Key(62, 13),)),
    ),
    "Platform": (
        person("kai", "platform-engineers", keys=(Key(22, 1),)),
        person("sofia", "platform-engineers", signed_in=2),
        application("terraform-dev", "kai", "platform-engineers", keys=(Key(67, 0),)),
        application("image-builder", "sofia", "platform-engineers", keys=(Key(5, 0),)),
    ),
    "Support": (person("hugo", "support-readonly", signed_in=25),),
    "Security": (person("olive", "administrators", signed_in=12),),
}

GLOBEX_MAIN = {
    "Operations": (
        person("oskar", "administrators", signed_in=1),
        person("petra", "operators", keys=(Key(19, 0),)),
        person("lukas", "operators", keys=(Key(133, 9),), signed_in=9, has_mfa=False),
        application("backup", "petra", "operators", keys=(Key(47, 0),)),
        application("monitoring", "lukas", "readers", keys=(Key(80, 0),)),
    ),
    "Warehouse": (
        person("emma", "warehouse-writers", keys=(Key(28, 2),)),
        person("rui", "warehouse-readers", signed_in=3),
        person("yara", "warehouse-readers", signed_in=70, has_mfa=False),
        application("erp-bridge", "emma", "warehouse-writers", keys=(Key(55, 0),)),
        application("stock-loader", "emma", "warehouse-writers", keys=(Key(31, 0), Key(6, 1))),
        application("label-printer", "rui", "warehouse-readers", keys=(Key(240, 121, is_active=False),)),
    ),
    "Shop": (
        person("nils", "shop-deployers", keys=(Key(11, 0),)),
        person("amira", "shop-deployers", signed_in=2),
        application("shop-web", "nils", "shop-deployers", keys=(Key(73, 0),)),
        application("crm-sync", "amira", "readers", keys=(Key(36, 4),)),
        application("newsletter", "amira", "readers", keys=(Key(2, None),)),
    ),
}

ACME_SANDBOX = {"Platform": (person("kai", "platform-engineers", signed_in=14),)}
