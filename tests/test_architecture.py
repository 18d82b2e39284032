"""The house keeps its rules, and each rule can fail."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests import house_rules as rules
from tests.house_rules import Rule
from tests.matrix import MATRIX

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("portal", "accounts", "federation")
PADDING = "    pass\n"
KEYS = "accounts/usecases/keys.py"
ADMIN = "accounts/admin/key.py"
NAMED = "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'portal.settings')"
BLIND = "try:\n    x\nexcept Exception:\n    "
LOGGED = BLIND + "logger.exception('x')"


def files(*folders: str, suffixes: Iterable[str]) -> list[str]:
    """The project's own files below the folders; what Django writes, the migrations, is not counted."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in set(suffixes))
    return sorted(str(path.relative_to(ROOT)) for path in found if "migrations" not in path.parts)


def breaches(rule: Rule, paths: Iterable[str]) -> list[str]:
    """What breaks the rule, each with its place."""
    texts = ((path, (ROOT / path).read_text()) for path in paths)
    return [f"{path}:{line}: {breach}" for path, text in texts for line, breach in rule(path, text)]


def name(rule: object) -> str:
    """A rule's name, for the test's."""
    return getattr(rule, "__name__", "")


@pytest.mark.parametrize("rule", rules.PYTHON_RULES, ids=name)
def test_the_code_keeps_the_rule(rule: Rule) -> None:
    assert breaches(rule, files(*PACKAGES, suffixes=[".py"])) == []


@pytest.mark.parametrize("rule", [rules.files_are_short, rules.functions_are_short], ids=name)
def test_the_tests_keep_the_rule(rule: Rule) -> None:
    assert breaches(rule, files("tests", suffixes=[".py"])) == []


@pytest.mark.parametrize("rule", rules.TEMPLATE_RULES, ids=name)
def test_the_templates_keep_the_rule(rule: Rule) -> None:
    assert breaches(rule, files("templates", suffixes=[".html", ".svg"])) == []


@pytest.mark.parametrize("rule", rules.STATIC_RULES, ids=name)
def test_what_the_browser_loads_keeps_the_rule(rule: Rule) -> None:
    assert breaches(rule, files("static", suffixes=[".css", ".js", ".svg"])) == []


# Each rule has a sample that breaks it and one, close to it, that does not.

BROKEN = [
    (rules.files_are_short, "accounts/access.py", "x = 1\n" * 401),
    (rules.functions_are_short, "accounts/access.py", "def long():\n" + PADDING * 40),
    (rules.functions_are_short, "accounts/access.py", "class A:\n    async def long(self):\n" + "        pass\n" * 40),
    (rules.names_say_what_is_inside, "accounts/utils.py", ""),
    (rules.names_say_what_is_inside, "accounts/services/iam.py", ""),
    (rules.names_say_what_is_inside, "accounts/views2.py", ""),
    (rules.usecases_name_who_and_when, KEYS, "def f(*, by, key):\n    access.require(by=by)"),
    (
        rules.usecases_name_who_and_when,
        KEYS,
        "@transaction.atomic\ndef f(key, *, by, at):\n    pass",
    ),
    (rules.usecases_name_who_and_when, KEYS, "def f(*, at):\n    record(at=at)"),
    (
        rules.nothing_is_caught_blindly,
        "accounts/access.py",
        LOGGED,
    ),
    (rules.nothing_is_caught_blindly, "accounts/access.py", "try:\n    x\nexcept:\n    raise"),
    (rules.nothing_is_caught_blindly, "accounts/access.py", "try:\n    x\nexcept (ValueError, BaseException):\n    y"),
    (rules.nothing_is_caught_blindly, "portal/ledger/deliver.py", BLIND + "y"),
    (
        rules.actions_name_their_permission,
        ADMIN,
        "@admin.action(description='Delete')\ndef f(): pass",
    ),
    (rules.actions_name_their_permission, ADMIN, "@admin.action\ndef f(): pass"),
    (
        rules.actions_name_their_permission,
        ADMIN,
        "class A:\n    actions = ['f']\n    def f(self): pass",
    ),
    (rules.tasks_read_messages_of_other_releases, "accounts/tasks.py", "@shared_task\ndef f(pk): pass"),
    (rules.tasks_read_messages_of_other_releases, "accounts/tasks.py", "@app.task(acks_late=True)\ndef f(pk): pass"),
    (rules.models_have_no_order, "accounts/models/key.py", "class A:\n    class Meta:\n        ordering = ['pk']"),
    (rules.settings_alone_read_the_environment, "accounts/access.py", "import os\nos.environ['HOME']"),
    (rules.settings_alone_read_the_environment, "accounts/access.py", "import os\nos.getenv('HOME')"),
    (
        rules.settings_alone_read_the_environment,
        "accounts/access.py",
        "os.environ.setdefault('DEBUG', 'on')",
    ),
    (rules.settings_alone_read_the_environment, "accounts/access.py", "import environ"),
    (rules.portal_aws_alone_knows_boto, "accounts/delivery/keys.py", "from botocore.exceptions import ClientError"),
    (rules.portal_aws_alone_knows_boto, "portal/awsome.py", "import boto3"),
    (rules.imports_stand_at_the_top, "accounts/access.py", "def f():\n    from accounts import models"),
    (rules.nothing_is_marked_safe, ADMIN, "html.mark_safe('<b>')"),
    (rules.templates_obey_the_content_security_policy, "a.html", "<script>alert(1)</script>"),
    (rules.templates_obey_the_content_security_policy, "a.html", '<script type="module">go()</script>'),
    (rules.templates_obey_the_content_security_policy, "a.html", "<p style='color: red'>"),
    (rules.templates_obey_the_content_security_policy, "a.html", '<button onclick="go()">'),
    (rules.templates_obey_the_content_security_policy, "a.html", '<button hx-on:click="go()">'),
    (rules.templates_obey_the_content_security_policy, "a.html", "<style>p {}</style>"),
    (rules.templates_obey_the_content_security_policy, "a.html", '<a href="javascript:go()">'),
    (rules.templates_obey_the_content_security_policy, "a.html", "<p hx-vals='js:{a: 1}'>"),
    (rules.templates_escape, "a.html", "{{ name|safe }}"),
    (rules.templates_escape, "a.html", "{% autoescape off %}"),
    (rules.nothing_comes_from_elsewhere, "a.html", '<script src="https://cdn.example/htmx.js"></script>'),
    (rules.nothing_comes_from_elsewhere, "a.html", '<img src="//cdn.example/a.png">'),
    (rules.nothing_comes_from_elsewhere, "a.css", "@font-face { src: url(//cdn.example/a.woff2) }"),
]
KEPT = [
    (rules.files_are_short, "accounts/access.py", "x = 1\n" * 400),
    (rules.functions_are_short, "accounts/access.py", "def long():\n" + PADDING * 39),
    (rules.names_say_what_is_inside, "accounts/iam_users.py", ""),
    (rules.usecases_name_who_and_when, KEYS, "def f(*, by, at):\n    record(by=by, at=at)"),
    (rules.usecases_name_who_and_when, "accounts/usecases/records.py", "def about(row):\n    return Subject(row)"),
    (rules.nothing_is_caught_blindly, "accounts/access.py", "try:\n    x\nexcept ValueError:\n    y"),
    (
        rules.nothing_is_caught_blindly,
        "portal/ledger/deliver.py",
        LOGGED,
    ),
    (rules.actions_name_their_permission, "a.py", "@admin.action(permissions=['x'])\ndef f(): pass\nactions = ['f']"),
    (rules.tasks_read_messages_of_other_releases, "accounts/tasks.py", "@shared_task\ndef f(pk, **kwargs): pass"),
    (rules.models_have_no_order, "accounts/models/key.py", "class A:\n    class Meta:\n        indexes = []"),
    (rules.settings_alone_read_the_environment, "portal/settings.py", "import environ"),
    (
        rules.settings_alone_read_the_environment,
        "portal/wsgi.py",
        NAMED,
    ),
    (rules.portal_aws_alone_knows_boto, "portal/aws/connect.py", "import boto3"),
    (rules.imports_stand_at_the_top, "accounts/apps.py", "def ready(self):\n    from accounts import delivery"),
    (rules.nothing_is_marked_safe, ADMIN, "def f(x) -> SafeString:\n    return format_html('<b>{}</b>', x)"),
    (rules.templates_obey_the_content_security_policy, "a.html", '<script src="{% static "js/a.js" %}"></script>'),
    (rules.templates_obey_the_content_security_policy, "a.html", '<script type="application/json">{}</script>'),
    (rules.templates_escape, "a.html", "{{ name|default:'safe' }}"),
    (rules.nothing_comes_from_elsewhere, "a.html", '<a class="x" href="https://docs.aws.amazon.com/iam/">'),
    (rules.nothing_comes_from_elsewhere, "a.svg", '<svg xmlns="http://www.w3.org/2000/svg">'),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN, ids=name)
def test_a_broken_rule_is_seen(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text))


@pytest.mark.parametrize(("rule", "path", "text"), KEPT, ids=name)
def test_a_kept_rule_is_seen_as_kept(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text)) == []


def test_every_rule_has_a_sample_of_each_kind() -> None:
    held = {*rules.PYTHON_RULES, *rules.TEMPLATE_RULES, *rules.STATIC_RULES}

    assert {rule for rule, _, _ in BROKEN} == held
    assert {rule for rule, _, _ in KEPT} == held


# Addresses


def addresses(patterns: Iterable[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    """The names of all addresses; those of a namespace, such as the admin's, as one."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from addresses(pattern.url_patterns, inner)
        else:
            yield f"{namespace}*" if namespace else pattern.name or f"unnamed: {pattern.pattern}"


def test_every_address_is_declared_in_the_authorization_matrix() -> None:
    assert set(addresses(get_resolver().url_patterns)) == set(MATRIX)


# The storeys: each contract is broken once in a copy of the tree

CONTRACTS = {
    "house": ("accounts/kinds.py", "import federation.apps"),
    "portal": ("portal/toolbox.py", ""),
    "apps": ("accounts/toolbox.py", ""),
    "boto": ("accounts/delivery/creation.py", "import boto3"),
    "aws": ("accounts/views/home.py", "from portal.aws import connect"),
    "words": ("accounts/kinds.py", "import django.db.models"),
    "ledger": ("accounts/views/home.py", "from portal.ledger.record import record"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code without the tests, to break."""
    folder = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint_imports(folder: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """Check the contracts, all of them where none is given."""
    wanted = [part for contract in contracts for part in ("--contract", contract)]
    # The name of the console script's function, because a virtual environment's scripts need not be on the PATH.
    main = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", main, "--no-cache", "--no-logo", *wanted]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_storeys_stand(copy: Path) -> None:
    run = lint_imports(copy)

    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_broken_contract_is_seen(copy: Path, contract: str) -> None:
    path, line = CONTRACTS[contract]
    broken = copy / path
    before = broken.read_text() if broken.exists() else None
    broken.write_text(f"{line}\n{before or ''}")
    try:
        run = lint_imports(copy, contract)
    finally:
        broken.write_text(before) if before is not None else broken.unlink()

    assert run.returncode == 1
    assert "Contracts: 0 kept, 1 broken." in run.stdout, run.stdout + run.stderr
