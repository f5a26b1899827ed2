"""
Where a script is: Duktape's call stack, read from memory while Duktape runs.

For the moment before a deadline, in a signal's handler: an endless loop never returns, so its state cannot be queried,
and a call into Duktape in the middle of an instruction could allocate, collect garbage or throw. So nothing is called.
The stack is followed through memory, which is read and never written:

    duk_heap.curr_thread -> duk_hthread.callstack_curr -> duk_activation (function, pc, parent) -> ...

The function's name, its file and the table from pc to line are properties of the function, see `_Function`.

- **Half-done changes.**  An activation is linked before it is filled in, and freed memory keeps old pointers.  So
  every pointer is first shown to the kernel, which says whether it can be read (`rt_sigprocmask` with an impossible
  argument, `EFAULT` or `EINVAL`); every length and number is bounded, and what makes no sense ends the walk.  The worst
  result is a wrong line.
- **Other builds.**  The offsets are those of Duktape 2.7 on 64-bit machines as `pyduktape2` configures it.  They are
  not believed: the zygote interrupts a loop whose stack it knows (see `sandbox/duktape.py`), and if something
  else is read there is no reader.
- **The pc of the innermost function** is in a local variable of the executor, which may keep it in a register through
  a loop that calls nothing; then it is that of some instruction before.  The function is right all the same.

Python's small objects do not come from C's allocator, which may be interrupted too, so nothing here makes a large one.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import sys
from typing import NamedTuple

# Bytes from the start of each structure.
_HEAP_CURR_THREAD = 184
_THREAD_CURR_PC, _THREAD_HEAP, _THREAD_CALLSTACK, _THREAD_RESUMER = 56, 64, 120, 144
_ACTIVATION_FUNCTION, _ACTIVATION_PARENT, _ACTIVATION_PC = 16, 24, 56
_OBJECT_PROPERTIES, _OBJECT_SIZE, _OBJECT_USED = 24, 40, 44
_FUNCTION_BYTECODE = 72
_BUFFER_BYTES, _BUFFER_DATA = 24, 32
_STRING_BYTES, _STRING_DATA = 24, 32
_VALUE_BYTES, _KEY_BYTES, _INSTRUCTION_BYTES = 16, 8, 4

_TYPE_MASK, _STRING, _OBJECT, _BUFFER = 3, 0, 1, 2
_COMPILED = 0x800
_LINES_SKIP = 64
"""So many instructions share one entry of the index in front of a table of lines."""

_MOST_FRAMES = 24
_MOST_THREADS = 3
_MOST_PROPERTIES = 64
_MOST_TABLE_BYTES = 1 << 24
_LONGEST_NAME = 80
_NAMES = {b"name": "name", b"fileName": "file", b"\x82Pc2line": "lines"}
_SHOWN = bytes(code if 0x20 <= code < 0x7F and code not in b"()\\" else 0x3F for code in range(256))

_SIGPROCMASK = {"x86_64": 14, "aarch64": 135}.get(platform.machine())

SUPPORTED = sys.platform == "linux" and _SIGPROCMASK is not None and sys.maxsize > 1 << 32
"""Whether the machine is one whose layout of memory is known."""

_libc = ctypes.CDLL(None, use_errno=True)


class Unreadable(Exception):
    """An address cannot be read, or what stands there makes no sense."""


class _Function(NamedTuple):
    """What the properties of a function say."""

    name: bytes
    file: bytes
    lines: int
    """Address of the buffer that leads from a pc to a line; 0 if there is none."""


class CallStack:
    """
    Reads the call stack of one Duktape heap.

    Args:
        thread: Address of any thread of the heap, as `Duktape.info` reports it.

    Raises:
        Unreadable: It is no such address, or the machine is not supported.
    """

    __slots__ = ("_heap",)

    def __init__(self, thread: int) -> None:
        if not SUPPORTED:
            raise Unreadable
        self._heap = _pointer(thread + _THREAD_HEAP)

    def frames(self) -> list[bytes]:
        """
        Return what is being run, innermost first; empty when nothing is, or nothing can be read.

        Returns:
            Lines of ASCII as in Duktape's stacks: `at name (file:line)`, or `at name (native)`.
        """
        frames: list[bytes] = []
        try:
            thread = _pointer(self._heap + _HEAP_CURR_THREAD)
            for _ in range(_MOST_THREADS):
                if not thread or len(frames) >= _MOST_FRAMES:
                    break
                _follow(thread, frames)
                thread = _pointer(thread + _THREAD_RESUMER)
        except Unreadable:
            # What was found before is still returned.
            return frames
        return frames


def _follow(thread: int, frames: list[bytes]) -> None:
    activation = _pointer(thread + _THREAD_CALLSTACK)
    current = _pointer(thread + _THREAD_CURR_PC)
    pc = _pointer(current) if current else 0
    while activation and len(frames) < _MOST_FRAMES:
        function = _pointer(activation + _ACTIVATION_FUNCTION)
        saved = _pointer(activation + _ACTIVATION_PC)
        frames.append(_frame(function, (pc, saved)) if function else b"at ? (native)")
        activation, pc = _pointer(activation + _ACTIVATION_PARENT), 0


def _frame(function: int, pcs: tuple[int, int]) -> bytes:
    flags = _flags(function, _OBJECT)
    properties = _properties(function)
    name = properties.name or b"[anon]"
    if not flags & _COMPILED:
        return b"at %b (native)" % name
    bytecode = _pointer(function + _FUNCTION_BYTECODE)
    line = next((line for pc in pcs if pc >= bytecode and (line := _line(properties.lines, pc - bytecode))), 0)
    return b"at %b (%b:%d)" % (name, properties.file or b"?", line)


def _properties(function: int) -> _Function:
    size, used = _number(function + _OBJECT_SIZE), _number(function + _OBJECT_USED)
    values = _pointer(function + _OBJECT_PROPERTIES)
    name = file = b""
    lines = 0
    for at in range(min(used, size, _MOST_PROPERTIES)):
        key = _pointer(values + size * _VALUE_BYTES + at * _KEY_BYTES)
        meaning = _NAMES.get(_string(key)) if key else None
        if meaning is None:
            continue
        # The lower 48 bits hold the pointer where values are packed, and the second half where they are not.
        value = _pointer(values + at * _VALUE_BYTES + 8)
        if meaning == "lines":
            lines = value if _is(value, _BUFFER) else 0
        elif meaning == "name":
            name = _string(value).translate(_SHOWN) if _is(value, _STRING) else b""
        else:
            file = _string(value).translate(_SHOWN) if _is(value, _STRING) else b""
    return _Function(name, file, lines)


def _line(table: int, offset: int) -> int:
    """Return the line of an instruction *offset* bytes from the first; 0 if the table does not have it."""
    # The pc is that of the next one.
    pc = max(0, offset // _INSTRUCTION_BYTES - 1)
    size = _pointer(table + _BUFFER_BYTES) if table else 0
    start = table + _BUFFER_DATA
    if not 4 < size <= _MOST_TABLE_BYTES or pc >= _number(start):
        return 0
    entry = start + 4 + pc // _LINES_SKIP * 8
    bits = _Bits(start + _number(entry + 4), start + size)
    line = _number(entry)
    for _ in range(pc % _LINES_SKIP):
        line = bits.next_line(line)
    return line


class _Bits:
    """The part of a table of lines after its index: how each line differs from the one before."""

    __slots__ = ("_at", "_end", "_left", "_value")

    def __init__(self, start: int, end: int) -> None:
        self._at, self._end = start, end
        self._value = self._left = 0

    def next_line(self, line: int) -> int:
        if not self._take(1):
            return line
        if not self._take(1):
            return line + self._take(2) + 1
        if not self._take(1):
            return line + self._take(8) - 0x80
        return self._take(16) << 16 | self._take(16)

    def _take(self, count: int) -> int:
        while self._left < count:
            # Duktape reads zeros behind the end.
            byte = _byte(self._at) if self._at < self._end else 0
            self._value = (self._value << 8 | byte) & 0xFFFFFF
            self._at += 1
            self._left += 8
        self._left -= count
        return self._value >> self._left & (1 << count) - 1


# -- memory -------------------------------------------------------------------------------------


def _check(address: int) -> None:
    """Ask the kernel whether the eight bytes of *address* can be read; it changes nothing."""
    if address < 1 << 16 or address >= 1 << 47:
        raise Unreadable
    _libc.syscall(
        ctypes.c_long(_SIGPROCMASK or 0),
        ctypes.c_long(-1),
        ctypes.c_void_p(address & ~7),
        ctypes.c_void_p(None),
        ctypes.c_long(8),
    )
    if ctypes.get_errno() != errno.EINVAL:
        raise Unreadable


def _pointer(address: int) -> int:
    if address & 7:
        raise Unreadable
    _check(address)
    return ctypes.c_uint64.from_address(address).value


def _number(address: int) -> int:
    if address & 3:
        raise Unreadable
    _check(address)
    return ctypes.c_uint32.from_address(address).value


def _byte(address: int) -> int:
    _check(address)
    return ctypes.c_uint8.from_address(address).value


def _flags(thing: int, kind: int) -> int:
    flags = _number(thing)
    if flags & _TYPE_MASK != kind:
        raise Unreadable
    return flags


def _is(thing: int, kind: int) -> bool:
    return bool(thing) and _number(thing) & _TYPE_MASK == kind


def _string(string: int) -> bytes:
    """Return the first bytes of a string as Duktape stores it."""
    _flags(string, _STRING)
    size = min(_number(string + _STRING_BYTES), _LONGEST_NAME)
    start = string + _STRING_DATA
    for address in range(start, start + size, 8):
        _check(address)
    return ctypes.string_at(start, size)
