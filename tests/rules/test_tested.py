"""What is large is tested under its own name."""

from __future__ import annotations

from tests.rules.graph import imported_names, modules
from tests.rules.tree import ROOT, name, parsed, python

LARGE = 150
# Modules that no test names, with the tests that go through them.  The list may only shrink.
THROUGH = {
    "aiwebengine.assembly.listening": "tests/e2e/test_server_program.py",
    "aiwebengine.assembly.running": "tests/e2e/test_server_program.py",
    "aiwebengine.build.packages": "tests/e2e/test_packages.py",
    "aiwebengine.cli.client": "tests/process/test_cli_commands.py",
    "aiwebengine.cli.deploy": "tests/process/test_cli_commands.py",
    "aiwebengine.cli.recordings": "tests/process/test_cli_commands.py",
    "aiwebengine.cli.scripts": "tests/process/test_cli_commands.py",
    "aiwebengine.cli.twistd": "tests/e2e/test_server_program.py",
    "aiwebengine.graphql.http": "tests/e2e/test_graphql.py",
    "aiwebengine.graphql.prefetch": "tests/unit/graphql/test_execution.py",
    "aiwebengine.graphql.resolvers": "tests/unit/graphql/test_execution.py",
    "aiwebengine.graphql.sources": "tests/e2e/test_graphql_protocols.py",
    "aiwebengine.graphql.sse": "tests/e2e/test_graphql_protocols.py",
    "aiwebengine.graphql.websocket": "tests/e2e/test_graphql_protocols.py",
    "aiwebengine.host.assets": "tests/unit/host/test_dispatch.py",
    "aiwebengine.host.graphql_globals": "tests/e2e/test_graphql.py",
    "aiwebengine.host.scripts": "tests/e2e/test_managing_scripts.py",
    "aiwebengine.machinery": "tests/e2e/test_server_program.py",
    "aiwebengine.runtime.group": "tests/unit/runtime/test_runner.py",
    "aiwebengine.runtime.run": "tests/unit/runtime/test_run.py",
    "aiwebengine.scripts.replay": "tests/e2e/test_recordings.py",
    "aiwebengine.services.db.migrate": "tests/unit/services/db/test_migrate.py",
    "aiwebengine.settings.sources": "tests/unit/settings/test_load.py",
    "aiwebengine.web.api.bodies": "tests/unit/web/api/test_deployments.py",
    "aiwebengine.web.api.call": "tests/unit/web/api/test_api.py",
    "aiwebengine.web.listener": "tests/e2e/test_connections.py",
    "aiwebengine.web.site": "tests/unit/web/test_site.py",
    "sandbox.forker": "tests/process/test_sandbox_runs.py",
}


def test_large_modules_are_tested() -> None:
    """A module of more than 150 lines is imported by a test."""
    named = {each for path in python("tests") if path.name.startswith("test_") for each in imported_names(parsed(path))}
    untested = {
        module: name(path)
        for module, path in modules("aiwebengine", "sandbox").items()
        if module not in named and len(path.read_text("utf-8").splitlines()) > LARGE
    }
    assert not sorted(untested.keys() - THROUGH.keys())
    assert not sorted(THROUGH.keys() - untested.keys()), "tested by now, or gone: take them from THROUGH"
    assert not [path for path in THROUGH.values() if not (ROOT / path).exists()]
