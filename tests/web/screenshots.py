"""Photographs every page of a collection for the docs.

python -m tests.web.screenshots demo.atlas --query "a cat"
"""

from __future__ import annotations

import argparse
from pathlib import Path

import bilderatlas
from bilderatlas.collection import Collection
from tests.server.auth.keyed import ACCESS
from tests.web.visiting import Visit, find_browser, launched, served

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
VIEW = {"width": 1280, "height": 860}


def main() -> None:
    """Save home, gallery, search, clusters, map, image and signing in as PNG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--query", required=True, help="what the search page looks for")
    parser.add_argument("--scheme", choices=("light", "dark"), default="light")
    parser.add_argument("--width", type=int, default=VIEW["width"])
    parser.add_argument("--folder", type=Path, default=IMAGES)
    asked = parser.parse_args()
    atlas = bilderatlas.open(asked.collection)
    executable = find_browser()
    assert executable, "screenshots need Chromium"
    with served(atlas) as address, launched(executable) as browser:
        view = VIEW | {"width": asked.width}
        page = browser.new_context(viewport=view, color_scheme=asked.scheme).new_page()
        photograph(Visit(page, address), atlas, asked.query, asked.folder)
    with served(atlas, ACCESS) as address, launched(executable) as browser:
        page = browser.new_context(viewport=view, color_scheme=asked.scheme).new_page()
        Visit(page, address).go("/").screenshot(path=asked.folder / "sign-in.png")


def photograph(visit: Visit, atlas: Collection, query: str, folder: Path) -> None:
    """Go through the pages and save what they look like."""
    folder.mkdir(parents=True, exist_ok=True)
    best = atlas.search(query, k=1)[0].image_id
    paths = {
        "home": "/",
        "gallery": "/gallery",
        "search": f"/search?q={query}",
        "clusters": "/clusters",
    }
    paths |= {"map": "/map", "image": f"/images/{best}"}
    paths |= {"label": "/label", "compare": "/compare?prompts=cat,coffee,newspaper,rocket"}
    largest = atlas.clustering().clusters[0].cluster
    paths |= {"cluster": f"/clusters/{largest}", "advice-page": "/clusters/advice"}
    paths |= {"runs": "/clusters/compare", "decisions": "/decisions"}
    paths |= {"problems": "/problems"} if atlas.info().n_problems else {}
    for name, path in paths.items():
        page = visit.go(path)
        if name == "map":
            point_at_middle(visit)
        if name == "advice-page":
            page.wait_for_selector("figure", timeout=120_000)
        page.wait_for_timeout(1500)  # for the pictures
        page.screenshot(path=folder / f"{name}.png")
    assert visit.complaints == [], visit.complaints


def point_at_middle(visit: Visit) -> None:
    """Point at the dot that is nearest to the middle of the map, row by row."""
    canvas = visit.page.locator(".plot canvas")
    box = canvas.bounding_box()
    assert box, "the map is drawn"
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for away in range(0, int(box["height"] / 2), 12):
        for side in (-away, away):
            visit.page.mouse.move(middle[0] + side, middle[1] + side / 2)
            if visit.page.locator(".map-card").is_visible():
                return


if __name__ == "__main__":
    main()
