"""Digest of the content of values: equal bits, equal digest, whatever they are."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

DIGEST_BYTES = 20


def _pieces(part: Any) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a value, each piece after what and how long it is.

    Raises TypeError for what has no content that is known here.
    """
    match part:
        case np.ndarray():
            part = part.view(np.ndarray)
            if part.dtype.hasobject:
                raise TypeError("an array of Python's objects has no content")
            yield f"array {part.dtype.descr} {part.shape}\0".encode()
            if part.dtype.names:
                # Field by field: what lies between them in memory is no content.
                yield from (p for name in part.dtype.names for p in _pieces(part[name]))
                return
            yield np.ascontiguousarray(part).reshape(-1).view(np.uint8).data
        case np.generic():
            yield from _pieces(part.item())
        case bytes():
            yield f"bytes {len(part)}\0".encode() + part
        case str():
            text = part.encode()
            yield f"str {len(text)}\0".encode() + text
        case None | bool() | int() | float():
            yield f"{type(part).__name__} {part!r}\0".encode()
        case date():
            yield f"{type(part).__name__} {part.isoformat()}\0".encode()
        case pa.Array():
            yield from _pieces(_ipc(part))
        case Mapping():
            yield f"mapping {len(part)}\0".encode()
            for key, value in part.items():
                yield from _pieces(key)
                yield from _pieces(value)
        case tuple() | list():
            yield f"{type(part).__name__} {len(part)}\0".encode()
            for value in part:
                yield from _pieces(value)
        case _ if is_dataclass(part):
            yield f"{type(part).__name__}\0".encode()
            for field in fields(part):
                yield from _pieces(getattr(part, field.name))
        case _:
            raise TypeError(f"{type(part).__name__} has no content that is known")


def _ipc(values: pa.Array) -> bytes:
    batch = pa.record_batch([values], names=["values"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def digest_of(*parts: Any) -> str:
    """Return a digest of values: arrays, texts, numbers, and whatever holds them.

    Raises TypeError for what has no content that is known here.
    """
    digest = blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        for piece in _pieces(part):
            digest.update(piece)
    return digest.hexdigest()
