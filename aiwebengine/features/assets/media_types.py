"""
The media type of a file of `public/`, by its name.

Text gets `charset=utf-8` if it is UTF-8; what is not says its encoding itself, or is left to the browser.
"""

from __future__ import annotations

TYPES: dict[str, str] = {
    "html": "text/html", "htm": "text/html", "css": "text/css", "js": "text/javascript", "mjs": "text/javascript",
    "cjs": "text/javascript", "txt": "text/plain", "text": "text/plain", "log": "text/plain", "md": "text/markdown",
    "csv": "text/csv", "tsv": "text/tab-separated-values", "vtt": "text/vtt", "ics": "text/calendar",
    "vcf": "text/vcard", "ts": "text/plain", "tsx": "text/plain", "jsx": "text/plain", "yaml": "text/yaml",
    "yml": "text/yaml", "xml": "application/xml", "xsl": "application/xml", "rss": "application/rss+xml",
    "atom": "application/atom+xml", "xhtml": "application/xhtml+xml", "json": "application/json",
    "map": "application/json", "jsonld": "application/ld+json", "geojson": "application/geo+json",
    "webmanifest": "application/manifest+json", "wasm": "application/wasm", "pdf": "application/pdf",
    "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar", "br": "application/octet-stream",
    "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "avif": "image/avif", "ico": "image/x-icon", "bmp": "image/bmp", "tif": "image/tiff",
    "tiff": "image/tiff", "apng": "image/apng", "mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg",
    "oga": "audio/ogg", "opus": "audio/ogg", "wav": "audio/wav", "flac": "audio/flac", "weba": "audio/webm",
    "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
    "woff": "font/woff", "woff2": "font/woff2", "ttf": "font/ttf", "otf": "font/otf",
    "eot": "application/vnd.ms-fontobject", "epub": "application/epub+zip", "glb": "model/gltf-binary",
    "gltf": "model/gltf+json", "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}  # fmt: skip
"""By the ending of a name, in lower case."""

_UNKNOWN = "application/octet-stream"
_COMPRESSED_WELL = frozenset(
    {
        "application/javascript", "application/json", "application/xml", "application/wasm", "image/svg+xml",
        "image/bmp", "image/x-icon", "font/ttf", "font/otf", "application/vnd.ms-fontobject",
    }
)  # fmt: skip


def type_of(path: str, content: bytes) -> str:
    """Return the media type of a file."""
    name = path.rpartition("/")[2]
    media_type = TYPES.get(name.rpartition(".")[2].lower(), _UNKNOWN) if "." in name else _UNKNOWN
    if not media_type.startswith("text/"):
        return media_type
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return media_type
    return f"{media_type}; charset=utf-8"


def compresses(media_type: str) -> bool:
    """Return whether content of that type becomes much smaller."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _COMPRESSED_WELL or kind.endswith(("+json", "+xml"))
