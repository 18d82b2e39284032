"""What no linter knows: each rule takes a file's path inside the project and its text, and tells the breaches."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
GENERAL_NAMES = re.compile(r"(helpers?|utils?|utilities|common|misc|managers?|processors?|services?|data|info|\w*\d+)$")
# The edges at which a worker must go on whatever happens: it logs, stores the outcome, and takes the next one.
WORKER_EDGES = {
    "portal/ledger/deliver.py",
    "accounts/importers/connection.py",
    "accounts/importers/discovery.py",
    "accounts/importers/run.py",
    "accounts/usecases/bulk_rows.py",
}
THE_ONE_THAT_READS_THE_ENVIRONMENT = "portal/settings.py"
AWS_PACKAGES = {"boto3", "botocore", "moto"}

Breach = tuple[int, str]
Rule = Callable[[str, str], Iterator[Breach]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(text: str) -> Iterator[Function]:
    """Every function and method of a Python file."""
    return (node for node in ast.walk(ast.parse(text)) if isinstance(node, Function))


def dotted(node: ast.expr) -> str:
    """`admin.action` for the expression `admin.action` and for a call of it; empty for what has no name."""
    if isinstance(node, ast.Call):
        return dotted(node.func)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def decorators(function: Function) -> dict[str, ast.expr]:
    """A function's decorators by name."""
    return {dotted(decorator): decorator for decorator in function.decorator_list}


def calls(node: ast.AST) -> set[str]:
    """The names of all that is called inside."""
    return {dotted(inner) for inner in ast.walk(node) if isinstance(inner, ast.Call)}


def imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The modules that are imported inside, with their line."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from ((inner.lineno, alias.name) for alias in inner.names)
        if isinstance(inner, ast.ImportFrom):
            yield inner.lineno, inner.module or ""


# Python


def files_are_short(_path: str, text: str) -> Iterator[Breach]:
    """No file over 400 lines."""
    lines = text.count("\n")
    if lines > LONGEST_FILE:
        yield lines, f"{lines} lines: split it by noun"


def functions_are_short(_path: str, text: str) -> Iterator[Breach]:
    """No function over 40 lines."""
    for function in functions(text):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > LONGEST_FUNCTION:
            yield function.lineno, f"{function.name} has {lines} lines"


def names_say_what_is_inside(path: str, _text: str) -> Iterator[Breach]:
    """No module with a general name: it would grow for ever."""
    for part in PurePosixPath(path).with_suffix("").parts:
        if GENERAL_NAMES.fullmatch(part):
            yield 1, f"{part} is a name for anything"


def usecases_name_who_and_when(path: str, text: str) -> Iterator[Breach]:
    """Use-cases take keywords only, among them the time; those that write to the ledger name the person who decides."""
    if "usecases" not in PurePosixPath(path).parts:
        return
    for function in ast.parse(text).body:
        if isinstance(function, Function) and not function.name.startswith("_") and _decides(function):
            yield from _unnamed(function)


def _decides(function: Function) -> bool:
    called = calls(function)
    return (
        "transaction.atomic" in decorators(function) or "record" in called or any("require" in name for name in called)
    )


def _unnamed(function: Function) -> Iterator[Breach]:
    keywords = {argument.arg for argument in function.args.kwonlyargs}
    if function.args.args or function.args.posonlyargs:
        yield function.lineno, f"{function.name} takes positional arguments"
    if "at" not in keywords:
        yield function.lineno, f"{function.name} does not take at="
    if "record" in calls(function) and "by" not in keywords:
        yield function.lineno, f"{function.name} does not take by="


def nothing_is_caught_blindly(path: str, text: str) -> Iterator[Breach]:
    """`except Exception` only at a worker's edge, and there it logs the exception."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ExceptHandler) and _is_blind(node):
            if path not in WORKER_EDGES:
                yield node.lineno, "catches everything away from a worker's edge"
            elif "logger.exception" not in calls(node):
                yield node.lineno, "catches everything and does not log it"


def _is_blind(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(dotted(kind) in {"Exception", "BaseException"} for kind in caught)


def actions_name_their_permission(_path: str, text: str) -> Iterator[Breach]:
    """Every admin action has permissions, and only functions that have them are listed as actions."""
    permitted = {function.name for function in functions(text) if _has_permissions(function)}
    for function in functions(text):
        if "admin.action" in decorators(function) and function.name not in permitted:
            yield function.lineno, f"the action {function.name} has no permissions"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and "actions" in {dotted(target) for target in node.targets}:
            yield from ((node.lineno, f"the action {name} has no permissions") for name in _listed(node) - permitted)


def _has_permissions(function: Function) -> bool:
    action = decorators(function).get("admin.action")
    return isinstance(action, ast.Call) and any(keyword.arg == "permissions" for keyword in action.keywords)


def _listed(assignment: ast.Assign) -> set[str]:
    if not isinstance(assignment.value, ast.List | ast.Tuple):
        return set()
    elements = assignment.value.elts
    texts = {str(element.value) for element in elements if isinstance(element, ast.Constant)}
    return texts | {dotted(element) for element in elements if not isinstance(element, ast.Constant)}


def tasks_read_messages_of_other_releases(_path: str, text: str) -> Iterator[Breach]:
    """Every task takes **kwargs."""
    for function in functions(text):
        is_task = any(name.endswith(("shared_task", ".task")) for name in decorators(function))
        if is_task and function.args.kwarg is None:
            yield function.lineno, f"the task {function.name} does not take **kwargs"


def models_have_no_order(_path: str, text: str) -> Iterator[Breach]:
    """No Meta.ordering: whoever needs an order asks for it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name == "Meta":
            for statement in node.body:
                if isinstance(statement, ast.Assign) and "ordering" in {dotted(target) for target in statement.targets}:
                    yield statement.lineno, "Meta.ordering"


def settings_alone_read_the_environment(path: str, text: str) -> Iterator[Breach]:
    """The environment is read in portal/settings.py only; the doors may say which settings these are."""
    if path == THE_ONE_THAT_READS_THE_ENVIRONMENT:
        return
    tree = ast.parse(text)
    told = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _names_the_settings(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and dotted(node) in {"os.environ", "os.getenv"} and id(node) not in told:
            yield node.lineno, "reads the environment"
    for line, module in imports(tree):
        if module == "environ":
            yield line, "reads the environment"


def _names_the_settings(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    named = isinstance(first, ast.Constant) and first.value == "DJANGO_SETTINGS_MODULE"
    return named and dotted(call.func) == "os.environ.setdefault"


def portal_aws_alone_knows_boto(path: str, text: str) -> Iterator[Breach]:
    """boto3, botocore and moto are imported below portal/aws only."""
    if path.startswith("portal/aws/"):
        return
    for line, module in imports(ast.parse(text)):
        if module.partition(".")[0] in AWS_PACKAGES:
            yield line, f"imports {module}"


def imports_stand_at_the_top(_path: str, text: str) -> Iterator[Breach]:
    """No import inside a function, except where an AppConfig gets ready."""
    for function in functions(text):
        if function.name != "ready":
            yield from ((line, f"imports {module} inside {function.name}") for line, module in imports(function))


def nothing_is_marked_safe(_path: str, text: str) -> Iterator[Breach]:
    """`format_html` escapes what it is given; `mark_safe` believes it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and dotted(node).rpartition(".")[2] in {"mark_safe", "SafeString", "SafeText"}:
            yield node.lineno, f"calls {dotted(node)}"


# Templates and what the browser is sent


def templates_obey_the_content_security_policy(_path: str, text: str) -> Iterator[Breach]:
    """No inline script, style or handler; nothing that would need eval."""
    patterns = {
        # Data is no script: a browser does not run application/json, and the policy lets it stand.
        r"<script(?![^>]*(\bsrc=|\btype=[\"']application/json[\"']))": "an inline script",
        r"<style\b": "an inline style",
        r"\sstyle\s*=": "an inline style",
        r"\son\w+\s*=": "an inline handler",
        r"\bhx-on\b": "an inline handler",
        r"javascript:": "an inline script",
        r"[\"']js:": "an inline script",
    }
    yield from _found(patterns, text)


def templates_escape(_path: str, text: str) -> Iterator[Breach]:
    """Nothing gets past autoescape."""
    patterns = {r"\|\s*safe(seq)?\b": "|safe", r"\bautoescape\s+off\b": "autoescape off"}
    yield from _found(patterns, text)


def nothing_comes_from_elsewhere(_path: str, text: str) -> Iterator[Breach]:
    """No third-party host; a link that a person follows, and the name of an XML namespace, load nothing."""
    loads_nothing = re.compile(r"<a\b[^>]*>|\bxmlns(:\w+)?=[\"'][^\"']*[\"']|http://www\.w3\.org/\S*", re.IGNORECASE)
    # What loads nothing is blanked out and not cut, so that lines keep their numbers.
    rest = loads_nothing.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    yield from _found({r"https?://": "a host", r"(?:[\"'(]|url\()\s*//\w": "a host"}, rest)


def _found(patterns: dict[str, str], text: str) -> Iterator[Breach]:
    for pattern, what in patterns.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            yield text.count("\n", 0, match.start()) + 1, f"{what}: {match.group().strip()}"


PYTHON_RULES: list[Rule] = [
    files_are_short,
    functions_are_short,
    names_say_what_is_inside,
    usecases_name_who_and_when,
    nothing_is_caught_blindly,
    actions_name_their_permission,
    tasks_read_messages_of_other_releases,
    models_have_no_order,
    settings_alone_read_the_environment,
    portal_aws_alone_knows_boto,
    imports_stand_at_the_top,
    nothing_is_marked_safe,
]
TEMPLATE_RULES: list[Rule] = [
    files_are_short,
    templates_obey_the_content_security_policy,
    templates_escape,
    nothing_comes_from_elsewhere,
]
STATIC_RULES: list[Rule] = [nothing_comes_from_elsewhere]
