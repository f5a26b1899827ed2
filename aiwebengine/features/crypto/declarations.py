"""What scripts see of cryptography: `crypto.subtle`, and what of `crypto` need not be awaited."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Global, HostCall, Member

_GROUP = "Cryptography"
_MAX_BYTES = 1024 * 1024
_MAX_SYNC_BYTES = 64 * 1024
_ERRORS = ("too_large", "too_many", "unavailable")
_DATA = "BufferSource"


def _call(name: str, doc: str, *, cost: int = 1) -> HostCall:
    """Declare what the prelude sends for one method of `crypto.subtle`."""
    return HostCall(
        name=f"crypto.subtle.{name}",
        group=_GROUP,
        arguments=(
            Argument(
                name="request", kind="object", doc="The arguments of the method, bytes as Base64.", max_bytes=_MAX_BYTES
            ),
        ),
        returns="object",
        effect="none",
        sync=False,
        cost=cost,
        errors=_ERRORS,
        doc=doc,
        speaks_for=f"crypto.subtle.{name}",
        standard=True,
    )


def _sync(name: str, doc: str, *, cost: int = 1) -> HostCall:
    """Declare what the prelude sends for a method of `crypto` that is not awaited."""
    return HostCall(
        name=f"crypto.{name}",
        group=_GROUP,
        arguments=(
            Argument(
                name="input",
                kind="object",
                doc="The arguments of the method, bytes as Base64.",
                max_bytes=_MAX_SYNC_BYTES,
            ),
        ),
        returns="object",
        effect="none",
        cost=cost,
        errors=_ERRORS,
        doc=doc,
        speaks_for=f"crypto.{name}",
    )


DIGEST = _call("digest", "Hashes.")
SUBTLE = {
    "generate": _call("generateKey", "Makes a key or a pair.", cost=10),
    "import": _call("importKey", "Reads a key."),
    "export": _call("exportKey", "Writes a key."),
    "sign": _call("sign", "Signs."),
    "verify": _call("verify", "Checks a signature."),
    "encrypt": _call("encrypt", "Encrypts."),
    "decrypt": _call("decrypt", "Decrypts."),
    "bits": _call("deriveBits", "Derives bits.", cost=10),
    "derive": _call("deriveKey", "Derives a key.", cost=10),
    "wrap": _call("wrapKey", "Writes a key, encrypted."),
    "unwrap": _call("unwrapKey", "Reads an encrypted key."),
}
"""By operation (see `operations.py`)."""
DIGEST_SYNC = _sync("digestSync", "Hashes.")
HMAC_SYNC = _sync("hmacSync", "Makes an HMAC.")
SUBTLE_SYNC = {
    "import": _sync("importKeySync", "Reads a key."),
    "export": _sync("exportKeySync", "Writes a key."),
    "sign": _sync("signSync", "Signs."),
    "verify": _sync("verifySync", "Checks a signature."),
    "encrypt": _sync("encryptSync", "Encrypts."),
    "decrypt": _sync("decryptSync", "Decrypts."),
    "bits": _sync("deriveBitsSync", "Derives bits.", cost=10),
}
"""By operation, those that need not be awaited."""
CALLS = (DIGEST, *SUBTLE.values(), DIGEST_SYNC, HMAC_SYNC, *SUBTLE_SYNC.values())

_KEY = 'const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, true, ["encrypt", "decrypt"]);\n'
_HMAC_KEY = (
    'const key = await crypto.subtle.importKey(\n    "raw", new TextEncoder().encode("secret"), '
    '{ name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"],\n  );\n'
)


def _handler(path: str, *lines: str) -> str:
    body = "\n  ".join(line.rstrip("\n") for line in lines)
    return f'registerWebHandler("{path}", async () => {{\n  {body}\n}});'


_SUBTLE_MEMBERS = (
    Member(
        signature=f"digest(algorithm: AlgorithmIdentifier, data: {_DATA}): Promise<ArrayBuffer>",
        doc="Hashes by `SHA-1`, `SHA-256`, `SHA-384` or `SHA-512`.",
        uses=(DIGEST.name,),
        example=_handler(
            "/digest",
            'const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode("text"));',
            "return { bytes: [...new Uint8Array(hash)] };",
        ),
    ),
    Member(
        signature=(
            "generateKey(algorithm: AlgorithmIdentifier, extractable: boolean, keyUsages: KeyUsage[]): Promise<any>"
        ),
        doc=(
            "Makes a key, or of algorithms with public keys a pair: `{ publicKey, privateKey }`. "
            "An RSA key has at most `crypto.max_rsa_bits`."
        ),
        uses=(SUBTLE["generate"].name,),
        example=_handler("/generate", _KEY, "return { algorithm: key.algorithm, usages: key.usages };"),
    ),
    Member(
        signature=(
            f"importKey(format: KeyFormat, keyData: {_DATA} | JsonWebKey, algorithm: AlgorithmIdentifier, "
            "extractable: boolean, keyUsages: KeyUsage[]): Promise<CryptoKey>"
        ),
        doc=(
            "Reads a key in one of the formats `raw`, `spki`, `pkcs8` and `jwk`. "
            "Of a private RSA key all numbers are needed; whether its factors are primes is not checked."
        ),
        uses=(SUBTLE["import"].name,),
        example=_handler("/import", _HMAC_KEY, "return key.algorithm;"),
    ),
    Member(
        signature="exportKey(format: KeyFormat, key: CryptoKey): Promise<any>",
        doc="Writes a key that is extractable: an `ArrayBuffer`, or an object for `jwk`.",
        uses=(SUBTLE["export"].name,),
        example=_handler("/export", _KEY, 'return (await crypto.subtle.exportKey("jwk", key)).alg;'),
    ),
    Member(
        signature=f"sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: {_DATA}): Promise<ArrayBuffer>",
        doc="Signs by HMAC, RSASSA-PKCS1-v1_5, RSA-PSS, ECDSA or Ed25519.",
        uses=(SUBTLE["sign"].name,),
        example=_handler(
            "/sign",
            _HMAC_KEY,
            'const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode("text"));',
            "return { bytes: signature.byteLength };",
        ),
    ),
    Member(
        signature=(
            f"verify(algorithm: AlgorithmIdentifier, key: CryptoKey, signature: {_DATA}, data: {_DATA}): "
            "Promise<boolean>"
        ),
        doc="Checks a signature, in constant time.",
        uses=(SUBTLE["verify"].name,),
        example=_handler(
            "/verify",
            _HMAC_KEY,
            'const data = new TextEncoder().encode("text");',
            'const signature = await crypto.subtle.sign("HMAC", key, data);',
            'return { valid: await crypto.subtle.verify("HMAC", key, signature, data) };',
        ),
    ),
    Member(
        signature=f"encrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: {_DATA}): Promise<ArrayBuffer>",
        doc="Encrypts by AES-GCM, AES-CBC, AES-CTR or RSA-OAEP; of AES-GCM, `iv` has 8 to 128 bytes.",
        uses=(SUBTLE["encrypt"].name,),
        example=_handler(
            "/encrypt",
            _KEY,
            'const algorithm = { name: "AES-GCM", iv: crypto.getRandomValues(new Uint8Array(12)) };',
            'const sealed = await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode("text"));',
            "return { bytes: sealed.byteLength };",
        ),
    ),
    Member(
        signature=f"decrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: {_DATA}): Promise<ArrayBuffer>",
        doc="Decrypts what `encrypt` returns.",
        uses=(SUBTLE["decrypt"].name,),
        example=_handler(
            "/decrypt",
            _KEY,
            'const algorithm = { name: "AES-GCM", iv: crypto.getRandomValues(new Uint8Array(12)) };',
            'const sealed = await crypto.subtle.encrypt(algorithm, key, new TextEncoder().encode("text"));',
            "return new TextDecoder().decode(await crypto.subtle.decrypt(algorithm, key, sealed));",
        ),
    ),
    Member(
        signature=(
            "deriveBits(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, length?: number | null): "
            "Promise<ArrayBuffer>"
        ),
        doc=(
            "Derives bits by PBKDF2, HKDF, ECDH, X25519 or `scrypt` (with `salt`, `N`, `r` and `p`). PBKDF2 takes at "
            "most `crypto.max_iterations` iterations, scrypt at most `crypto.max_scrypt_bytes` of memory."
        ),
        uses=(SUBTLE["bits"].name,),
        example=_handler(
            "/bits",
            'const password = await crypto.subtle.importKey("raw", new TextEncoder().encode("secret"), "PBKDF2", '
            'false, ["deriveBits"]);',
            'const algorithm = { name: "PBKDF2", hash: "SHA-256", salt: new Uint8Array(16), iterations: 1000 };',
            "const bits = await crypto.subtle.deriveBits(algorithm, password, 256);",
            "return { bytes: bits.byteLength };",
        ),
    ),
    Member(
        signature=(
            "deriveKey(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, derivedKeyType: AlgorithmIdentifier, "
            "extractable: boolean, keyUsages: KeyUsage[]): Promise<CryptoKey>"
        ),
        doc="Derives a key as `deriveBits` derives bits.",
        uses=(SUBTLE["derive"].name,),
        example=_handler(
            "/derive",
            'const base = await crypto.subtle.importKey("raw", new Uint8Array(32), "HKDF", false, ["deriveKey"]);',
            'const algorithm = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(16), info: new Uint8Array() };',
            'const key = await crypto.subtle.deriveKey(algorithm, base, { name: "AES-GCM", length: 256 }, false, '
            '["encrypt"]);',
            "return key.algorithm;",
        ),
    ),
    Member(
        signature=(
            "wrapKey(format: KeyFormat, key: CryptoKey, wrappingKey: CryptoKey, wrapAlgorithm: AlgorithmIdentifier): "
            "Promise<ArrayBuffer>"
        ),
        doc="Writes a key and encrypts it, by AES-KW or what `encrypt` has.",
        uses=(SUBTLE["wrap"].name,),
        example=_handler(
            "/wrap",
            _KEY,
            'const wrapping = await crypto.subtle.generateKey({ name: "AES-KW", length: 256 }, false, ["wrapKey"]);',
            'return { bytes: (await crypto.subtle.wrapKey("raw", key, wrapping, "AES-KW")).byteLength };',
        ),
    ),
    Member(
        signature=(
            f"unwrapKey(format: KeyFormat, wrappedKey: {_DATA}, unwrappingKey: CryptoKey, unwrapAlgorithm: "
            "AlgorithmIdentifier, unwrappedKeyAlgorithm: AlgorithmIdentifier, extractable: boolean, keyUsages: "
            "KeyUsage[]): Promise<CryptoKey>"
        ),
        doc="Reads a key that `wrapKey` returned.",
        uses=(SUBTLE["unwrap"].name,),
        example=_handler(
            "/unwrap",
            _KEY,
            'const wrapping = await crypto.subtle.generateKey({ name: "AES-KW", length: 256 }, false, ["wrapKey", '
            '"unwrapKey"]);',
            'const wrapped = await crypto.subtle.wrapKey("raw", key, wrapping, "AES-KW");',
            'const again = await crypto.subtle.unwrapKey("raw", wrapped, wrapping, "AES-KW", "AES-GCM", true, '
            '["encrypt"]);',
            "return again.usages;",
        ),
    ),
)


def _member_sync(signature: str, operation: str, example: str) -> Member:
    """Describe what does at once what a method of `crypto.subtle` does."""
    call = SUBTLE_SYNC[operation]
    name = call.name.removeprefix("crypto.").removesuffix("Sync")
    doc = f"Does at once what `crypto.subtle.{name}` does; at most 64 KiB (setting `crypto.max_sync_bytes`)."
    return Member(signature=signature, doc=doc, uses=(call.name,), example=example)


_KEY_SYNC = 'const key = crypto.importKeySync("raw", new Uint8Array(16), "AES-GCM", true, ["encrypt", "decrypt"]);\n'
_HMAC_SYNC = (
    'const key = crypto.importKeySync("raw", new Uint8Array(16), { name: "HMAC", hash: "SHA-256" }, false, '
    '["sign", "verify"]);\n'
)
_SYNC_MEMBERS = (
    _member_sync(
        f"importKeySync(format: KeyFormat, keyData: {_DATA} | JsonWebKey, algorithm: AlgorithmIdentifier, "
        "extractable: boolean, keyUsages: KeyUsage[]): CryptoKey",
        "import",
        _handler("/import-sync", _HMAC_SYNC, "return key.algorithm;"),
    ),
    _member_sync(
        "exportKeySync(format: KeyFormat, key: CryptoKey): any",
        "export",
        _handler("/export-sync", _KEY_SYNC, 'return crypto.exportKeySync("jwk", key).alg;'),
    ),
    _member_sync(
        f"signSync(algorithm: AlgorithmIdentifier, key: CryptoKey, data: {_DATA}): ArrayBuffer",
        "sign",
        _handler("/sign-sync", _HMAC_SYNC, 'return crypto.signSync("HMAC", key, new Uint8Array(1)).byteLength;'),
    ),
    _member_sync(
        f"verifySync(algorithm: AlgorithmIdentifier, key: CryptoKey, signature: {_DATA}, data: {_DATA}): boolean",
        "verify",
        _handler(
            "/verify-sync",
            _HMAC_SYNC,
            "const data = new Uint8Array(1);",
            'return { valid: crypto.verifySync("HMAC", key, crypto.signSync("HMAC", key, data), data) };',
        ),
    ),
    _member_sync(
        f"encryptSync(algorithm: AlgorithmIdentifier, key: CryptoKey, data: {_DATA}): ArrayBuffer",
        "encrypt",
        _handler(
            "/encrypt-sync",
            _KEY_SYNC,
            'const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };',
            "return { bytes: crypto.encryptSync(algorithm, key, new Uint8Array(1)).byteLength };",
        ),
    ),
    _member_sync(
        f"decryptSync(algorithm: AlgorithmIdentifier, key: CryptoKey, data: {_DATA}): ArrayBuffer",
        "decrypt",
        _handler(
            "/decrypt-sync",
            _KEY_SYNC,
            'const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };',
            "const sealed = crypto.encryptSync(algorithm, key, new Uint8Array(1));",
            "return { bytes: crypto.decryptSync(algorithm, key, sealed).byteLength };",
        ),
    ),
    _member_sync(
        "deriveBitsSync(algorithm: AlgorithmIdentifier, baseKey: CryptoKey, length?: number | null): ArrayBuffer",
        "bits",
        _handler(
            "/bits-sync",
            'const password = crypto.importKeySync("raw", new Uint8Array(8), "scrypt", false, ["deriveBits"]);',
            'const algorithm = { name: "scrypt", salt: new Uint8Array(16), N: 1024, r: 8, p: 1 };',
            "return { bytes: crypto.deriveBitsSync(algorithm, password, 256).byteLength };",
        ),
    ),
)

_OF_CRYPTO = (
    Member(signature="readonly subtle: SubtleCrypto"),
    Member(
        signature=(f"digestSync(algorithm: AlgorithmIdentifier, data: {_DATA} | string): ArrayBuffer"),
        doc=(
            "Hashes at once, as `crypto.subtle.digest` does, and by `MD5`; at most 64 KiB (setting "
            "`crypto.max_sync_bytes`). A string is taken as UTF-8."
        ),
        uses=(DIGEST_SYNC.name,),
        example=(
            'registerWebHandler("/hash", () => ({ bytes: [...new Uint8Array(crypto.digestSync("SHA-256", "text"))] }));'
        ),
    ),
    Member(
        signature=(
            f"hmacSync(hash: AlgorithmIdentifier, key: CryptoKey | {_DATA} | string, data: {_DATA} | string): "
            "ArrayBuffer"
        ),
        doc=(
            "Makes an HMAC at once; at most 64 KiB (setting `crypto.max_sync_bytes`). A `CryptoKey` has its own hash, "
            "which must be the same. Strings are taken as UTF-8."
        ),
        uses=(HMAC_SYNC.name,),
        example=(
            'registerWebHandler("/hmac", () => crypto.hmacSync("SHA-256", "secret", "text").byteLength.toString());'
        ),
    ),
    *_SYNC_MEMBERS,
    Member(
        signature=f"timingSafeEqual(a: {_DATA}, b: {_DATA}): boolean",
        doc="Returns whether two values have the same bytes; takes as long wherever they differ.",
    ),
)

_TYPES = """
type BufferSource = ArrayBuffer | ArrayBufferView;
type KeyFormat = "raw" | "spki" | "pkcs8" | "jwk";
type KeyUsage = "encrypt" | "decrypt" | "sign" | "verify" | "deriveKey" | "deriveBits" | "wrapKey" | "unwrapKey";
type AlgorithmIdentifier = string | { name: string; [parameter: string]: any };
interface JsonWebKey {
  [member: string]: any;
  kty?: string;
}
interface CryptoKeyPair {
  publicKey: CryptoKey;
  privateKey: CryptoKey;
}
"""

DECLARATIONS = Declarations(
    calls=CALLS,
    globals=(
        Global(
            name="SubtleCrypto",
            group=_GROUP,
            kind="class",
            doc=(
                "The Web Cryptography API, which is `crypto.subtle`. Its errors are those of the standard: "
                "`DOMException` with the name `OperationError`, `InvalidAccessError`, `NotSupportedError`, `DataError` "
                "or `SyntaxError`, and `TypeError`; beyond the server's limits it throws a `HostError`."
            ),
            members=_SUBTLE_MEMBERS,
            example='registerWebHandler("/subtle", () => String(crypto.subtle instanceof SubtleCrypto));',
        ),
        Global(
            name="CryptoKey",
            group=_GROUP,
            kind="class",
            doc=(
                "A key of `crypto.subtle`. The key itself stays in the server, which checks what it may be used for; "
                "the script has a sealed handle, which can be kept in a variable and copied by `structuredClone`, and "
                "is good for no other script."
            ),
            members=(
                Member(signature='readonly type: "secret" | "public" | "private"'),
                Member(signature="readonly extractable: boolean"),
                Member(signature="readonly algorithm: { name: string; [parameter: string]: any }"),
                Member(signature="readonly usages: KeyUsage[]"),
            ),
            example='registerWebHandler("/key", () => typeof CryptoKey);',
        ),
    ),
    members={"crypto": _OF_CRYPTO},
    types=_TYPES,
)
"""All declarations of this feature."""
