#!/usr/bin/env bash
# brotli 1.2.1 (PyPI), Decompressor with output_buffer_limit.
#
# With output_buffer_limit, process() may return a part of what its input decompresses to; its documentation asks for
# empty input until can_accept_more_data() has returned True once.  It returns True at once, although most of the output
# is still held back and comes only with further calls with empty input.  A loop that asks can_accept_more_data() whether
# there is more output therefore ends early, without an error.
#
# Seen: bytes in one call 98272 of 3103000, accepts more: True, finished: False
# Seen: bytes after calls with empty input 3103000, finished: True
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "brotli==1.2.1"
"$folder/venv/bin/python" - <<'PYTHON'
import random

import brotli

random.seed(1)
whole = random.randbytes(3_000) + b"a" * 3_000_000 + random.randbytes(100_000)
stream = brotli.Decompressor()
first = stream.process(brotli.compress(whole), output_buffer_limit=65_536)
print(
    f"bytes in one call {len(first)} of {len(whole)}, accepts more: {stream.can_accept_more_data()}, "
    f"finished: {stream.is_finished()}"
)
assert len(first) < len(whole)
assert stream.can_accept_more_data()
assert not stream.is_finished()
rest = [first]
while piece := stream.process(b"", output_buffer_limit=65_536):
    rest.append(piece)
print(f"bytes after calls with empty input {sum(map(len, rest))}, finished: {stream.is_finished()}")
assert b"".join(rest) == whole
assert stream.is_finished()
PYTHON
