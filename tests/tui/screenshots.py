"""Draw every screen and dialog as SVG, from the desk of the snapshot tests, and as PNG what the README shows.

python tests/tui/screenshots.py [FOLDER [NAME]]

PNG wants `pip install -e '.[screenshots]'`, libcairo and the font DejaVu Sans Mono; without them there is SVG alone.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]

from made.pictures import PICTURES, SIZES, lead, make_app  # noqa: E402 -- the paths above come first

IN_README = ("overview", "indexes", "wiring-change")
FONT, ADVANCE = "DejaVu Sans Mono", 0.60205
"""A font that is on most machines, and the width of its signs in parts of its size; Textual's is on the web."""
CELL, SCALE = 12.2, 5
"""Pixels of a cell in Textual's SVG; five times that are whole ones, so that signs stand where they belong."""


async def draw(folder: Path, sizes: tuple[tuple[int, int], ...], only: str = "") -> None:
    """Write NAME-COLUMNSxLINES.svg for each picture and size."""
    for picture in PICTURES:
        for width, height in sizes:
            if only in {"", picture.name}:
                app = make_app(picture)
                async with app.run_test(size=(width, height), notifications=True) as pilot:
                    await lead(picture, pilot)
                    drawn = app.export_screenshot(title="localpi")
                (folder / f"{picture.name}-{width}x{height}.svg").write_text(drawn, "utf-8")


def main() -> None:
    """Draw into `screenshots/`, or the folder that is named; from a home folder made for this."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else REPOSITORY / "screenshots").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        make_home(Path(home))
        sizes = SIZES if len(sys.argv) > 1 else SIZES[1:]  # the README needs one of each
        asyncio.run(draw(folder, sizes, sys.argv[2] if len(sys.argv) > 2 else ""))
        os.chdir(REPOSITORY)
    if len(sys.argv) < 2:
        for name in IN_README:
            paint(folder / f"{name}-{SIZES[1][0]}x{SIZES[1][1]}.svg")


def paint(drawn: Path) -> None:
    """Write the PNG of an SVG beside it."""
    try:
        cairosvg, image = import_module("cairosvg"), import_module("PIL.Image")  # PIL comes with it
    except (ImportError, OSError) as error:
        print(f"no PNG of {drawn.name}: {error}", file=sys.stderr)
        return
    text = re.sub(r"@font-face\s*{[^}]*}", "", drawn.read_text("utf-8"))
    text = text.replace("Fira Code", FONT).replace("font-size: 20px", f"font-size: {CELL / ADVANCE:.3f}px")
    large = image.open(io.BytesIO(cairosvg.svg2png(bytestring=text.encode(), scale=SCALE))).convert("RGB")
    small = large.resize((large.width // SCALE, large.height // SCALE), image.Resampling.LANCZOS)
    small.quantize(method=image.Quantize.MAXCOVERAGE).save(drawn.with_suffix(".png"), optimize=True)


def make_home(home: Path) -> None:
    """Make a home folder with something to upload, and go there."""
    dist = home / "billing" / "dist"
    dist.mkdir(parents=True)
    for name in ("acme_billing-2.2.0-py3-none-any.whl", "acme_billing-2.2.0.tar.gz"):
        (dist / name).write_bytes(b"")
    os.environ["HOME"] = str(home)
    os.chdir(dist)


if __name__ == "__main__":
    main()
