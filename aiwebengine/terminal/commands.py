"""The commands of the machinery; features add others."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "serve": "aiwebengine.cli.serve:serve",
    "init": "aiwebengine.cli.generated:init",
    "deploy": "aiwebengine.cli.deploy:deploy",
    "check": "aiwebengine.cli.deploy:check",
    "list": "aiwebengine.cli.scripts:list_scripts",
    "show": "aiwebengine.cli.scripts:show",
    "history": "aiwebengine.cli.scripts:history",
    "logs": "aiwebengine.cli.logs:logs",
    "rollback": "aiwebengine.cli.scripts:rollback",
    "delete": "aiwebengine.cli.scripts:delete",
    "state": "aiwebengine.cli.state:state",
    "pages": "aiwebengine.cli.pages:pages",
    "token": "aiwebengine.cli.token:token",
    "doctor": "aiwebengine.cli.doctor:doctor",
    "migrate-names": "aiwebengine.cli.migrate:migrate_names",
    "types": "aiwebengine.cli.generated:types",
}
"""Commands of the machinery: name to `module:command`, in the order of the help."""
