"""A million IAM users with their keys, passwords, devices, groups and history, made inside PostgreSQL."""

import json
import subprocess
import sys
import time
from contextlib import closing
from typing import Any

import psycopg2

from tests import services

ACCOUNTS = TEAMS = 200
PEOPLE = 2_000
# Parts of the names below: common ones, rare ones, one of two letters, and one that nothing has.
PARTS = (
    "reader", "deploy", "-ci-", "ledger-reader-77", "backup-writer-1234", "brown99", "olive.tay", "nightly-sync-4",
    "ed", "payments-ci-31", "smith12", "zz-no-such",
)  # fmt: skip


def _array(words: str) -> str:
    return f"ARRAY{words.split()}"


DUTIES = _array("ledger payments search billing nightly backup report ingest cache mail audit export")
DOINGS = _array("reader writer deploy sync ci batch rotate monitor import probe")
FIRST = _array("anna bruno carla david emil olive mia hugo lena ada noor yusuf chen ravi ines tom")
LAST = _array("smith jones brown taylor wilson evans kim patel garcia lopez nguyen khan silva weber rossi")

# The guards look up two rows for each new one, which a bulk that is right by making need not wait for.
BEGIN = "SET session_replication_role = replica"
IAM_USERS = f"""
INSERT INTO accounts_iamuser (id, organization_id, account_id, source, read_at, user_name, path, user_id, kind,
    owner_id, team_id, team_said_by, owner_said_by, purpose, tags, permissions_boundary_arn, attached_policy_arns,
    inline_policies, create_date, decided_at)
SELECT n, %(organization)s, %(account)s + n %% {ACCOUNTS}, 'get_user', now(),
    CASE WHEN n %% 3 = 0
        THEN ({FIRST})[1 + n %% 16] || '.' || ({LAST})[1 + (n / 16) %% 15] || n
        ELSE ({DUTIES})[1 + n %% 12] || '-' || ({DOINGS})[1 + (n / 12) %% 10] || '-' || n END,
    '/portal/', 'AIDA' || lpad(n::text, 17, '0'), CASE WHEN n %% 3 = 0 THEN 'person' ELSE 'application' END,
    CASE WHEN n %% 10 < 8 THEN %(person)s + n %% {PEOPLE} END, %(team)s + (n / {ACCOUNTS}) %% {TEAMS},
    'hand', 'hand', CASE WHEN n %% 3 = 0 THEN '' ELSE 'Runs in cluster ' || n %% 97 END,
    jsonb_build_object('stage', CASE WHEN n %% 2 = 0 THEN 'prod' ELSE 'test' END, 'cost-center', (n %% 500)::text),
    'arn:aws:iam::100000000000:policy/boundary', '["arn:aws:iam::aws:policy/ReadOnlyAccess"]', '{{}}',
    now() - n %% 1500 * interval '1 day', now()
FROM generate_series(1, %(count)s) AS n
"""
HANGING_ON = (
    """INSERT INTO accounts_accesskey (organization_id, account_id, source, read_at, iam_user_id, access_key_id, status,
        create_date, last_used_date, last_used_region, last_used_service, last_used_source)
    SELECT organization_id, account_id, 'list_access_keys', now(), id, 'AKIA' || second || lpad(id::text, 15, '0'),
        CASE WHEN id % 9 = 0 THEN 'Inactive' ELSE 'Active' END, now() - (id * 7 + second) % 400 * interval '1 day',
        CASE WHEN id % 4 > 0 THEN now() - id % 120 * interval '1 day' END, '', '', ''
    FROM accounts_iamuser, generate_series(1, 2) AS second WHERE id % 10 < 7 AND (second = 1 OR id % 5 = 0)""",
    """INSERT INTO accounts_loginprofile (organization_id, account_id, source, read_at, iam_user_id, password_last_used)
    SELECT organization_id, account_id, 'credential_report', now(), id, now() - id % 90 * interval '1 day'
    FROM accounts_iamuser WHERE id % 3 = 0""",
    """INSERT INTO accounts_mfadevice (organization_id, account_id, source, read_at, iam_user_id, serial_number)
    SELECT organization_id, account_id, 'list_mfa_devices', now(), id, 'arn:aws:iam::1:mfa/' || user_name
    FROM accounts_iamuser WHERE id % 3 = 0 AND id % 7 > 0""",
    """INSERT INTO accounts_groupmembership (organization_id, account_id, source, read_at, iam_user_id, iam_group_id)
    SELECT u.organization_id, u.account_id, 'get_user', now(), u.id, g.id
    FROM accounts_iamuser u JOIN accounts_iamgroup g ON g.account_id = u.account_id WHERE u.id % 2 = 0""",
    """INSERT INTO ledger_entry (id, organization_id, sequence, kind, at, by_id, by_name, subject_type, subject_id,
        subject_name, reason, ticket, details, previous_hash, hash)
    SELECT gen_random_uuid(), organization_id, row_number() OVER (ORDER BY id), 'accounts.iam_user.tagged', now(), '1',
        'Olive', 'iam_user', id::text, user_name, '', '', '{"put": [], "removed": []}', '', ''
    FROM accounts_iamuser WHERE id % 5 = 0""",
    """INSERT INTO ledger_delivery (entry_id, organization_id, sequence, lane, subject, queue, state, attempts,
        times_stranded, stuck_kind, error, aws_request_id, created_at, done_at)
    SELECT id, organization_id, sequence, '100000000000', subject_name, 'bulk',
        CASE WHEN sequence % 400 = 0 THEN 'due' ELSE 'done' END, 1, 0, '', '', '', now(),
        CASE WHEN sequence % 400 > 0 THEN now() END FROM ledger_entry""",
)


def fill(env: dict[str, str], count: int) -> dict[str, Any]:
    """Fill the database; says the sessions of a lead and an owner, and ids of IAM users that each sees."""
    command = [sys.executable, "-m", "tests.benchmarks.million_cast"]
    made = subprocess.run(command, env=env, cwd=services.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(made.stdout)
    start = time.perf_counter()
    with closing(psycopg2.connect(env["DATABASE_URL"])) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(BEGIN)
        cursor.execute(IAM_USERS, told["first"] | {"count": count})
        for statement in HANGING_ON:
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE")
        told["ids"] = {"owner": _ids(cursor, "true"), "lead": _ids(cursor, f"team_id = {told['first']['team']}")}
    return told | {"seconds": time.perf_counter() - start}


def _ids(cursor: Any, condition: str) -> list[int]:
    cursor.execute(f"SELECT id FROM accounts_iamuser WHERE {condition} ORDER BY random() LIMIT 500")
    return [pk for (pk,) in cursor.fetchall()]
