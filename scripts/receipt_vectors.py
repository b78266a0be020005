#!/usr/bin/env python3
"""Writes burncloud-billing/src/proof/vectors.json: what the proof module must come to, from nothing but hashlib,
json and `cryptography`, and documents typed by hand. Needs `pip install cryptography`."""

import hashlib
import json
import pathlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SEED, SALT, AT, ENTRY = bytes(range(32)), bytes([0x5A] * 16), 1_760_000_001_000_000, 12


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def number(n):
    return (1_760_000_000_000 << 80) | n


def public(n):
    return {
        "version": 1,
        "id": f"rc_{number(n):032x}",
        "trace_id": "09" * 16,
        "at": 1_760_000_000_000_123 + n,
        "key": 7,
        "user": 8,
        "tenant": 9,
        "dialect": "anthropic",
        "operation": "messages",
        "model": 'claude-ü "\n\x01\x7f\u2028',
        "streamed": True,
        "status": 200,
        "end": "caller_gone",
        "abort": "reported",
        "usage": {
            "input": 1, "cached_read": 2, "cache_write_5m": 3, "cache_write_1h": 4, "output": 5, "reasoning": 6,
            "audio_in": 7, "audio_out": 8, "image_in": 9, "image_out": 10, "pieces": 11, "audio_ms": 12, "video_ms": 13,
            "web_searches": 14, "file_searches": 15, "code_sessions": 16,
            "picture": {"width": 1024, "height": 1536, "quality": "high"}, "tier": "priority",
        },
        "usage_source": "estimated",
        "price_version": 42,
        "lines": [
            {"kind": "input", "units": 1, "price": 2_000_000, "amount": 2},
            {"kind": "cache_write1h", "units": 2**63 - 1, "price": 1_000_000, "amount": 4},
        ],
        "reserved": 100,
        "charge": 5,
        "shortfall": 1,
        "first_byte_us": 1234,
        "took_us": 2**63 - 1,
        "bytes_in": 77,
        "bytes_out": 6_000_000_000,
    }


def private(n):
    return {
        "id": f"rc_{number(n):032x}",
        "salt": sha256(SALT, number(n).to_bytes(16, "big"))[:16].hex(),
        "upstream_model": "upstream/模型",
        "channel": 3,
        "upstream_request_id": 'req_"1"',
        "attempts": [
            {"channel": 2, "error": "refused", "took_us": 12},
            {"channel": 3, "status": 200, "took_us": 4_000_000_000},
        ],
        "legs": [
            {"tenant": 9, "parent": 10, "charge": 4, "shortfall": 1},
            {"tenant": 10, "parent": 11, "charge": 3, "shortfall": 0},
        ],
        "upstream_cost": -3,
    }


def plain(n):
    """A refused request: next to nothing is known."""
    document = {
        key: value for key, value in public(n).items() if key not in ("abort", "first_byte_us")
    } | {"model": "", "streamed": False, "status": 404, "end": "refused", "usage": {}, "usage_source": "none",
         "price_version": 0, "lines": [], "reserved": 0, "charge": 0, "shortfall": 0, "took_us": 50, "bytes_out": 0}
    hidden = private(n) | {"upstream_model": "", "attempts": [], "legs": [], "upstream_cost": 0}
    del hidden["channel"], hidden["upstream_request_id"]
    return document, hidden


def root(leaves):
    if len(leaves) == 1:
        return leaves[0]
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01", root(leaves[:cut]), root(leaves[cut:]))


key = Ed25519PrivateKey.from_private_bytes(SEED)
public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
documents = [(public(0), private(0)), (public(1), private(1)), plain(2)]
leaves = [sha256(b"\x00", sha256(canonical(open_)), sha256(canonical(hidden))) for open_, hidden in documents]
link = {
    "version": 1,
    "sequence": 1,
    "at": AT,
    "entry": ENTRY,
    "count": len(leaves),
    "root": root(leaves).hex(),
    "previous": "00" * 32,
    "key": sha256(public_key)[:8].hex(),
}
vectors = {
    "documents": [
        {"public": canonical(open_).decode(), "private": canonical(hidden).decode(), "leaf": leaf.hex()}
        for (open_, hidden), leaf in zip(documents, leaves)
    ],
    "link": canonical(link).decode(),
    "hash": sha256(canonical(link)).hex(),
    "signature": key.sign(canonical(link)).hex(),
    "public_key": public_key.hex(),
}
target = pathlib.Path(__file__).parent.parent / "burncloud-billing/src/proof/vectors.json"
target.write_text(json.dumps(vectors, indent=1, ensure_ascii=False) + "\n")
