"""
The Web Cryptography API: `crypto.subtle`, and digests and HMACs that need not be awaited.

A key is a sealed string for the script's process: what it may be used for is checked here, where it is opened.

    calls.py        the host calls; which work is done at once, and which in a thread
    operations.py   what `crypto.subtle` does, as the standard has it
    keys.py         keys, and how they are sealed
    algorithms/     HMAC, AES, RSA, elliptic curves, derivation
"""
