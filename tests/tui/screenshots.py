"""Draw every screen and dialog as SVG, from the desk of the snapshot tests.

python tests/tui/screenshots.py [FOLDER [PART-OF-A-NAME]]
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests")]

from made.pictures import PICTURES, SIZES, lead, make_app  # noqa: E402 -- the paths above come first


async def draw(folder: Path, sizes: tuple[tuple[int, int], ...], only: str = "") -> None:
    """Write NAME-COLUMNSxLINES.svg for each picture and size."""
    for picture in PICTURES:
        for width, height in sizes:
            if picture.name == only.removeprefix("=") or (not only.startswith("=") and only in picture.name):
                app = make_app(picture)
                async with app.run_test(size=(width, height)) as pilot:
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
