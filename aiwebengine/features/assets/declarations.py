"""Files that scripts store: `listAssets`, `fetchAsset`, `upsertAsset` and `deleteAsset`."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, HostCall

CAPABILITY = "assets"

_GROUP = "Scripts and assets"
_CONTENT_BYTES = 8 * 1024 * 1024

_PATH = Argument(
    name="path",
    kind="string",
    doc=(
        'The asset\'s path. An asset whose path begins with "/", such as "/logo.svg", is served to everybody '
        "at that path."
    ),
    max_length=1024,
    empty=False,
)

CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="listAssets",
        group=_GROUP,
        arguments=(),
        returns="string[]",
        effect="none",
        capability=CAPABILITY,
        doc="Returns the paths of the script's assets, in alphabetical order.",
        example='registerWebHandler("/assets", () => listAssets());',
        errors=("denied", "unavailable"),
    ),
    HostCall(
        name="fetchAsset",
        group=_GROUP,
        arguments=(_PATH,),
        returns="string",
        effect="none",
        capability=CAPABILITY,
        cost=2,
        doc=(
            "Returns one of the script's assets as a JSON string, `{publicPath, mimetype, content}` with the content "
            'as base64, or the string `"null"` if there is none.'
        ),
        example=(
            'registerWebHandler("/asset", () => {\n'
            '  const asset = JSON.parse(fetchAsset("/greeting.txt"));\n'
            '  return asset ? atob(asset.content) : httpError(404, "There is no greeting.");\n'
            "});"
        ),
        errors=("denied", "unavailable"),
    ),
    HostCall(
        name="upsertAsset",
        group=_GROUP,
        arguments=(
            _PATH,
            Argument(
                name="mimetype",
                kind="string",
                doc='The media type, such as "image/svg+xml".',
                max_length=255,
                empty=False,
            ),
            Argument(
                name="content",
                kind="string",
                doc=("The content as base64; at most 5 MiB before encoding (setting `deploy.max_source_bytes`)."),
                max_bytes=_CONTENT_BYTES,
            ),
        ),
        returns="void",
        effect="held",
        capability=CAPABILITY,
        cost=2,
        doc=(
            'Stores or replaces an asset. If its path begins with "/" it is served publicly at that path, '
            "below the base path of the script; otherwise only the script can read it. Other scripts can "
            "neither read, replace nor remove it."
        ),
        example=(
            'registerWebHandler("/asset", (req) => {\n'
            '  upsertAsset("/greeting.txt", "text/plain", btoa("hello"));\n'
            '  return "stored";\n'
            '}, "POST");'
        ),
        errors=("denied", "too_large", "too_many", "conflict"),
    ),
    HostCall(
        name="deleteAsset",
        group=_GROUP,
        arguments=(_PATH,),
        returns="boolean",
        effect="held",
        capability=CAPABILITY,
        doc="Removes one of the script's assets; returns whether it existed.",
        example='registerWebHandler("/asset", () => deleteAsset("/greeting.txt"), "DELETE");',
        errors=("denied", "unavailable"),
    ),
)

DECLARATIONS = Declarations(
    calls=CALLS,
    capabilities=(Capability(name=CAPABILITY, doc="list, read, store and remove assets"),),
)
"""All declarations of this feature."""
