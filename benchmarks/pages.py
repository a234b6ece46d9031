"""How long the map page takes until it is drawn, and how smoothly it turns.

    python benchmarks/pages.py [--n 100000 1000000]

The collection is real, on disk, with made-up maps of 50 heaps and a clustering. The server is a
process of its own; Chromium draws without a graphics card. Drawn: from the address entered to the
first frame, the first time and the best of two more. Then: how many points one drawing has and how
long it takes, at rest and while the pointer drags for two seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

import machine
import numpy as np
import serving
from playwright.sync_api import Browser, Page, sync_playwright
from queries import RandomEncoder

from bilderatlas.storage import Store, runs

DIM = 16
N_HEAPS = 50
VIEW = {"width": 1280, "height": 860}
TIME_DRAWINGS = """() => {
  const gl = document.querySelector(".plot canvas").getContext("webgl");
  const draw = gl.drawArrays.bind(gl);
  window.drawings = [];
  gl.drawArrays = (mode, first, n) => {
    const before = performance.now();
    draw(mode, first, n);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits for it
    window.drawings.push([n, performance.now() - before]);
  };
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[100_000])
    asked = parser.parse_args()
    print(machine.describe(), "\n")
    print("| points | dims | first, s | then, s | drawn at rest, ms | drawn while moving, ms |")
    print("|---|---|---|---|---|---|")
    for n in asked.n:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "map.atlas"
            store = Store.create(path)
            serving.fill(store, RandomEncoder(DIM), n, thumbnail_bytes=100)
            keep_runs(store, n)
            with serving.process(serving.serve, path, DIM):
                asyncio.run(serving.until_up())
                measure(n)


def keep_runs(store: Store, n: int) -> None:
    """Two maps, flat and deep, and a clustering by the heaps."""
    rng = np.random.default_rng(0)
    ids = [serving.image_id(number) for number in range(n)]
    heap = rng.integers(0, N_HEAPS, n)
    space = store.active_space.space if store.active_space else ""
    for dims in (2, 3):
        middles = rng.normal(size=(N_HEAPS, dims))
        places = (middles[heap] + rng.normal(0, 0.15, (n, dims))).astype(np.float32)
        about = runs.describe(
            store, "project", "pca", {"dims": dims}, seed=0, space=space, kind="image", n_regions=n
        )
        runs.keep_projection(store, about, ids, places)
    about = runs.describe(
        store, "cluster", "kmeans", {"k": N_HEAPS}, seed=0, space=space, kind="image", n_regions=n
    )
    runs.keep_clustering(store, about, ids, heap.astype(np.int32), np.ones(n, np.float32))


def measure(n: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-quic"]
        )
        for dims in (2, 3):
            times = [drawn_s(browser, dims)[1] for _ in range(3)]
            told = drawings(drawn_s(browser, dims)[0])
            first, then = times[0], min(times[1:])
            print(f"| {n:,} | {dims} | {first:.1f} | {then:.1f} | {told} |", flush=True)
        browser.close()


def drawn_s(browser: Browser, dims: int) -> tuple[Page, float]:
    """A fresh visit to the map, and how long it took until it was drawn."""
    page = browser.new_context(viewport=VIEW).new_page()
    page.goto(f"http://127.0.0.1:{serving.PORT}/map?run=pca-{dims - 1}")
    canvas = page.wait_for_selector(".plot canvas[data-drawn-ms]", timeout=120_000)
    assert canvas, "the map is drawn"
    return page, int(canvas.get_attribute("data-drawn-ms") or 0) / 1e3


def drawings(page: Page) -> str:
    """Points in a drawing and the median time of one, at rest and while the pointer drags."""
    box = page.locator(".plot canvas").bounding_box()
    assert box, "the map is drawn"
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(TIME_DRAWINGS)
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(x + 200 * np.sin(step / 12), y + 80 * np.cos(step / 12))
        page.wait_for_timeout(33)
    page.mouse.up()
    page.wait_for_timeout(2000)
    done = np.array(page.evaluate("() => window.drawings"))  # (F, 2) points, ms
    at_rest = done[done[:, 0] == done[:, 0].max()]
    moving = done[done[:, 0] < done[:, 0].max()] if len(at_rest) < len(done) else done
    return " | ".join(
        f"{np.median(n):,.0f} in {np.median(ms):.0f}" for n, ms in (at_rest.T, moving.T)
    )


if __name__ == "__main__":
    main()
