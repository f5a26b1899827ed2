"""What scripts see of secrets, and the capability to use one."""

from __future__ import annotations

from aiwebengine.features.secrets.grants import CAPABILITY, SCOPE
from aiwebengine.features.secrets.names import LONGEST_NAME
from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, Global, HostCall, Member

_GROUP = "Secrets"
_MOST_KEY_BYTES = 8192

_NAME = Argument(
    name="name", kind="string", doc="Name of the secret.", max_length=LONGEST_NAME, empty=False, converts="string"
)

HAS = HostCall(
    name="secrets.has",
    group=_GROUP,
    arguments=(_NAME,),
    returns="boolean",
    effect="none",
    doc="Returns whether this script may use a secret of this name, and whether the server has one.",
    example='registerWebHandler("/ready", () => ({ mail: secrets.has("MAIL_PASSWORD") }));',
)

REF = HostCall(
    name="secrets.ref",
    group=_GROUP,
    arguments=(_NAME,),
    returns="string",
    effect="none",
    partly=CAPABILITY,
    errors=("denied", "not_found", "unavailable"),
    doc=(
        "Returns a string that stands for the secret in requests of `fetch`: the server puts the secret in its place "
        "when it sends the request, in path and query of the URL, in headers, within the base64 of "
        "`authorization: Basic`, and with the option `secretsInBody` in the body. "
        "It works only in this invocation, and only for hosts to which the secret is bound: by its grant, or where it "
        f"is stored. The script needs the capability `{CAPABILITY}:NAME`, which the manifest asks for under `secrets`."
    ),
    example=(
        'registerWebHandler("/balance", async () => {\n'
        '  if (!secrets.has("STRIPE_KEY")) return { status: 503, body: "There is no key." };\n'
        '  const headers = { authorization: `Bearer ${secrets.ref("STRIPE_KEY")}` };\n'
        '  const response = await fetch("https://api.stripe.com/v1/balance", { headers });\n'
        "  return response.json();\n"
        "});"
    ),
)

KEY = HostCall(
    name="secrets.importKey",
    group=_GROUP,
    arguments=(
        _NAME,
        Argument(
            name="request", kind="object", doc="Format, algorithm and usages of the key.", max_bytes=_MOST_KEY_BYTES
        ),
    ),
    returns="object",
    effect="none",
    partly=CAPABILITY,
    sync=False,
    errors=("denied", "not_found", "unavailable", "unsupported", "too_many", "too_large"),
    doc="Makes a key of a secret.",
    speaks_for="secrets.key",
)

SECRETS = Global(
    name="secrets",
    group=_GROUP,
    kind="object",
    doc="Passwords and keys that an administrator has stored and granted; scripts use them by name and never see them.",
    members=(
        Member(
            signature=(
                "key(name: string, algorithm: AlgorithmIdentifier, keyUsages: KeyUsage[], "
                'options?: { format?: "text" | "base64" | "hex" | "pkcs8" | "jwk" }): Promise<CryptoKey>'
            ),
            doc=(
                "Returns a secret as a key for `crypto.subtle`, which cannot be exported. "
                "By default the key is the UTF-8 text of the secret; `base64` and `hex` are decoded first, `pkcs8` is "
                "a private key in PEM form or base64, and `jwk` a JSON Web Key."
            ),
            uses=(KEY.name,),
            example=(
                'registerWebHandler("/signed", async (req) => {\n'
                '  if (!secrets.has("SIGNING_KEY")) return { status: 503, body: "There is no key." };\n'
                '  const key = await secrets.key("SIGNING_KEY", { name: "HMAC", hash: "SHA-256" }, ["sign"]);\n'
                '  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(req.query.text));\n'
                "  return { mac: btoa(String.fromCharCode(...new Uint8Array(mac))) };\n"
                "});"
            ),
        ),
        Member(
            signature="basic(user: string, name: string): string",
            doc=(
                "Returns the value of the header `authorization` for a user whose password is the secret; it stands "
                "for it as that of `secrets.ref` does."
            ),
            uses=(REF.name,),
            example=(
                'registerWebHandler("/invoices", async () => {\n'
                '  if (!secrets.has("BILLING_PASSWORD")) return { status: 503, body: "There is no password." };\n'
                '  const headers = { authorization: secrets.basic("shop", "BILLING_PASSWORD") };\n'
                '  return (await fetch("https://billing.example.com/invoices", { headers })).json();\n'
                "});"
            ),
        ),
    ),
    importable=True,
    example='registerWebHandler("/configured", () => String(secrets.has("STRIPE_KEY")));',
)

CALLS = (HAS, REF, KEY)

DECLARATIONS = Declarations(
    calls=CALLS,
    globals=(SECRETS,),
    members={
        "FetchInit": (
            Member(
                signature="secretsInBody?: boolean",
                doc=(
                    "Whether what `secrets.ref` returned may stand in the body, which must be short, and no stream: "
                    "the server puts the secret there, as JSON or a form needs it if `content-type` says so."
                ),
            ),
        )
    },
    capabilities=(
        Capability(
            name=CAPABILITY,
            doc="use a secret, such as STRIPE_KEY, and send it to a host, as in STRIPE_KEY@api.stripe.com",
            scope=SCOPE,
        ),
    ),
)
"""All of it."""
