#!/usr/bin/env python3
"""Recomputes the table of rated cases in exact rational arithmetic, apart from the library's own.

    rate_cases.py TABLE          says where the table's numbers differ, and fails if they do
    rate_cases.py TABLE --write  puts the numbers in

The table is JSON: `rates` declares prices by name, as an operator does; each of `cases` names one of them, the service
tier that was served and what was used, and gives the nano-dollars of each line and of all. A line is the units times
the price, rounded once to a whole nano-dollar, half up.
"""

import json
import sys
from fractions import Fraction

# Class, name of its price, how many of the class's units the price is for, and whose price stands in.
CLASSES = [
    ("input", "input", 10**6, None),
    ("cached_read", "cached_read", 10**6, "input"),
    ("cache_write_5m", "cache_write_5m", 10**6, "input"),
    ("cache_write_1h", "cache_write_1h", 10**6, "cache_write_5m"),
    ("output", "output", 10**6, None),
    ("reasoning", "reasoning", 10**6, "output"),
    ("audio_in", "audio_in", 10**6, "input"),
    ("audio_out", "audio_out", 10**6, "output"),
    ("image_in", "image_in", 10**6, "input"),
    ("image_out", "image_out", 10**6, "output"),
    ("pieces", "per_piece", 1, None),
    ("audio_ms", "per_audio_second", 1000, None),
    ("request", "per_request", 1, None),
    ("video_ms", "per_video_second", 1000, None),
    ("web_searches", "per_web_search", 1, None),
    ("file_searches", "per_file_search", 1, None),
    ("code_sessions", "per_code_session", 1, None),
]
INPUT = ["input", "cached_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in"]


def declared(rates, tier, size):
    """The declared prices that hold for a tier and a size of input, and the list of pictures."""
    plain = lambda table: {k: v for k, v in table.items() if isinstance(v, str)}
    prices, images = plain(rates), list(rates.get("images", []))
    table = rates
    if tier != "standard" and tier in rates:
        table = rates[tier]
        prices |= plain(table)
        key = lambda image: (image.get("size"), image.get("quality"))
        own = table.get("images", [])
        images = own + [image for image in images if key(image) not in [key(o) for o in own]]
    for step in table.get("tiers", []):
        if size > step["above"]:
            prices |= plain(step)
    return prices, images


def picture_price(images, picture):
    """The dollars of one picture, of the entry that says most about it; `None` where none fits."""
    picture = picture or {}
    size = f"{picture.get('width', 0)}x{picture.get('height', 0)}"
    quality = picture.get("quality", "unstated")
    fitting = [
        image
        for image in images
        if image.get("size", size) == size and image.get("quality", quality) == quality
    ]
    fitting.sort(key=lambda image: ("size" not in image, "quality" not in image))
    return fitting[0]["price"] if fitting else None


def price(prices, images, name, usage):
    """The dollars that a price is, and whether there is one."""
    if name == "per_piece":
        own = picture_price(images, usage.get("picture"))
        if own is not None:
            return Fraction(own)
        if name not in prices and images:
            return max(Fraction(image["price"]) for image in images)
    while name is not None:
        if name in prices:
            return Fraction(prices[name])
        name = next(parent for _, own, _, parent in CLASSES if own == name)
    return Fraction(0)


def half_up(number):
    return (2 * number.numerator + number.denominator) // (2 * number.denominator)


def rate(rates, tier, usage):
    size = sum(usage.get(name, 0) for name in INPUT)
    prices, images = declared(rates, tier, size)
    lines = {}
    for name, priced_by, per, _ in CLASSES:
        units = 1 if name == "request" else usage.get(name, 0)
        exact = units * price(prices, images, priced_by, usage) * 10**9 / per
        if exact > 0:
            lines[name] = half_up(exact)
    return lines


def main():
    path, write = sys.argv[1], "--write" in sys.argv[2:]
    with open(path) as file:
        table = json.load(file)
    wrong = 0
    for number, case in enumerate(table["cases"]):
        lines = rate(table["rates"][case["rates"]], case.get("tier", "standard"), case["usage"])
        found = {"lines": lines, "nano": sum(lines.values())}
        if write:
            case |= found
        elif {k: case[k] for k in found} != found:
            wrong += 1
            print(f"case {number}: {json.dumps(case)}: computed {json.dumps(found)}")
    if write:
        rates = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in table["rates"].items())
        cases = ",\n".join(f"    {json.dumps(case)}" for case in table["cases"])
        with open(path, "w") as file:
            file.write(f'{{\n  "rates": {{\n{rates}\n  }},\n  "cases": [\n{cases}\n  ]\n}}\n')
    print(f"{len(table['cases'])} cases, {wrong} wrong")
    sys.exit(1 if wrong else 0)


main()
