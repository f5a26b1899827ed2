"""What is large is tested under its own name."""

from __future__ import annotations

from tests.rules.graph import imported_names, modules
from tests.rules.tree import ROOT, parsed, python

LARGE = 150
# Modules that no test names, by the last part of their names, with the tests that go through them.
# The list may only shrink.
THROUGH = {
    "bodies": "tests/unit/web/api/test_deployments.py",
    "clone_pool": "tests/unit/runtime/test_runner.py",
    "client": "tests/process/test_cli_commands.py",
    "commands": "tests/process/test_cli_commands.py",
    "deploy": "tests/process/test_cli_commands.py",
    "forker": "tests/process/sandbox/test_runs.py",
    "globals": "tests/unit/host/test_describe.py",
    "group": "tests/unit/runtime/test_runner.py",
    "http": "tests/e2e/features/test_graphql.py",
    "listener": "tests/e2e/server/test_connections.py",
    "listening": "tests/e2e/server/test_server_program.py",
    "migrate": "tests/unit/services/db/test_migrate.py",
    "packages": "tests/e2e/scripts/test_packages.py",
    "prefetch": "tests/unit/features/graphql/test_execution.py",
    "replayer": "tests/e2e/features/test_recordings.py",
    "resolvers": "tests/unit/features/graphql/test_execution.py",
    "scripts": "tests/e2e/scripts/test_managing_scripts.py",
    "shapes": "tests/unit/host/test_describe.py",
    "site": "tests/unit/web/test_site.py",
    "sources": "tests/unit/settings/test_load.py",
    "sse": "tests/e2e/features/test_graphql_protocols.py",
    "standards": "tests/rules/test_generated_types.py",
    "streams": "tests/rules/test_generated_types.py",
    "declarations": "tests/rules/test_generated_types.py",
    "template": "tests/unit/runtime/processes/test_template_keeper.py",
    "websocket": "tests/e2e/features/test_graphql_protocols.py",
}


def test_large_modules_are_tested() -> None:
    """A module of more than 150 lines is imported by a test."""
    named = {each for path in python("tests") if path.name.startswith("test_") for each in imported_names(parsed(path))}
    untested = {
        module
        for module, path in modules("aiwebengine", "sandbox").items()
        if module not in named and len(path.read_text("utf-8").splitlines()) > LARGE
    }
    assert not sorted(module for module in untested if last(module) not in THROUGH)
    gone = THROUGH.keys() - {last(module) for module in untested}
    assert not sorted(gone), "tested by now, or gone: take them from THROUGH"
    assert not [path for path in THROUGH.values() if not (ROOT / path).exists()]


def last(module: str) -> str:
    """Return the last part of a module's name."""
    return module.rpartition(".")[2]
