"""Scripts that manage scripts, and read logs."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, HostCall

SCRIPTS = "scripts"
"""The capability to manage scripts."""
LOGS = "logs"
"""The capability to read the logs of other scripts."""
MOST_LINES = 1000
"""Most messages that one call returns."""
MOST_CHARACTERS = 1024 * 1024
"""Of these messages together."""

_GROUP = "Scripts and assets"
_LOG_GROUP = "Logs"
_SOURCE_BYTES = 5 * 1024 * 1024
_URI = Argument(name="uri", kind="string", doc="The script's name: any string of 1 to 255 characters.", max_length=255)

SCRIPT_CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="listScripts",
        group=_GROUP,
        arguments=(),
        returns="string[]",
        effect="none",
        capability=SCRIPTS,
        doc="Returns the names (URIs) of all scripts, in alphabetical order.",
        example='registerWebHandler("/scripts", () => listScripts());',
        errors=("denied", "unavailable"),
    ),
    HostCall(
        name="getScript",
        group=_GROUP,
        arguments=(_URI,),
        returns="string",
        effect="none",
        capability=SCRIPTS,
        doc='Returns the source of a script\'s entry file, or `""` if there is no such script.',
        example='registerWebHandler("/source", (req) => getScript(req.query.uri));',
        errors=("denied", "unavailable"),
    ),
    HostCall(
        name="upsertScript",
        group=_GROUP,
        arguments=(
            _URI,
            Argument(
                name="content",
                kind="string",
                doc=("The source, one file of JavaScript; at most 5 MiB (setting `deploy.max_source_bytes`)."),
                max_bytes=_SOURCE_BYTES,
            ),
        ),
        returns="void",
        effect="held",
        capability=SCRIPTS,
        cost=10,
        doc=(
            "Creates a script of one file, or gives it a new version. The source is built and checked at "
            "once, and put into service when the handler has returned. If it cannot be deployed, nothing is "
            "thrown; the problems are in the log of the calling script."
        ),
        example=(
            'registerWebHandler("/make", () => {\n'
            "  upsertScript(\"made\", \"registerWebHandler('/made', function () { return 'made'; });\");\n"
            '  return "done";\n'
            '}, "POST");'
        ),
        errors=("denied", "too_large", "too_many"),
    ),
    HostCall(
        name="deleteScript",
        group=_GROUP,
        arguments=(_URI,),
        returns="boolean",
        effect="held",
        capability=SCRIPTS,
        doc="Deletes a script; returns whether it existed.",
        example='registerWebHandler("/unmake", () => deleteScript("made"), "POST");',
        errors=("denied", "unavailable"),
    ),
)

LOG_CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="listLogs",
        group=_LOG_GROUP,
        arguments=(),
        returns="string[]",
        effect="none",
        cost=2,
        doc=f"Returns the last {MOST_LINES} messages that this script has logged, oldest first; "
        f"fewer if together they have more than {MOST_CHARACTERS:,} characters. "
        "What the server logs about the script's failures is only in `aiwebengine logs`.",
        example=(
            'registerWebHandler("/log", () => {\n  console.log("someone reads the log");\n  return listLogs();\n});'
        ),
        errors=("unavailable",),
    ),
    HostCall(
        name="listLogsForUri",
        group=_LOG_GROUP,
        arguments=(Argument(name="uri", kind="string", doc="The name of the script.", max_length=255),),
        returns="string[]",
        effect="none",
        cost=2,
        partly=LOGS,
        doc=(
            f"Returns the last {MOST_LINES} messages of a script, oldest first; fewer if they are long. "
            f"For another script the capability `{LOGS}` is needed."
        ),
        example='registerWebHandler("/log-of", (req) => listLogsForUri(req.query.uri));',
        errors=("denied", "unavailable"),
    ),
)

DECLARATIONS = Declarations(
    calls=(*SCRIPT_CALLS, *LOG_CALLS),
    capabilities=(
        Capability(name=SCRIPTS, doc="list, read, deploy and delete scripts"),
        Capability(name=LOGS, doc="read the logs of other scripts"),
    ),
)
"""All declarations of this feature."""
