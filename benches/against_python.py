#!/usr/bin/env python3
"""Compare the speed of formread with that of OpenCV with PyTorch, on the same pages, in turn, in one run.

    benches/against_python.py [SCANS]      default: fixtures/scans/office; needs target/release/formread (make build)

The Python side does the minimum of what such a reader must do. It decodes a page, binarises it (Otsu, 1979), crops the fields
where formread found them, scales connected components to 28 x 28, and classifies them in one batch a page with a plain net of
four 3 x 3 convolutions, in two processes of one thread each. It does not register, remove printed frames, join or split
digits, or check anything. The net is untrained, because only time is measured.

The script installs its packages in .tools/against_python with pip, which downloads some 3 GB. It is not part of the tests.
"""

import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = ROOT / ".tools" / "against_python"
PACKAGES = ["torch==2.13.0", "opencv-python-headless==4.12.*", "numpy==2.2.*"]
FORMREAD = ROOT / "target" / "release" / "formread"
WORKERS = 2
RUNS = 5


def set_up():
    """Install the packages, then run this script again with the Python of the environment."""
    python = HOME / "bin" / "python"
    if pathlib.Path(sys.prefix) == HOME:
        return
    if not (HOME / ".done").exists():
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (HOME / ".done").touch()
    os.execv(python, [str(python), *sys.argv])


def field_boxes(scans, folder):
    """The path of each scan, and the boxes of its fields in pixels, as formread finds them."""
    out = pathlib.Path(folder) / "boxes.csv"
    subprocess.run([FORMREAD, "run", scans, out, "--quiet"], check=True)
    boxes = {}
    with open(out.with_suffix(".fields.csv"), newline="") as rows:
        for row in csv.DictReader(rows):
            box = [int(float(row[side])) for side in ("x0", "y0", "x1", "y1")]
            boxes.setdefault(row["scan"], []).append(box)
    return [(str(pathlib.Path(scans) / scan), of_scan) for scan, of_scan in boxes.items()]


def start_worker():
    """Create the net of this process."""
    global net
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    layers, channels = [], 1
    for outputs, stride in [(32, 1), (32, 2), (64, 1), (64, 2)]:
        layers += [torch.nn.Conv2d(channels, outputs, 3, stride, 1), torch.nn.ReLU()]
        channels = outputs
    net = torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(64 * 7 * 7, 10)).eval()


def read_page(page):
    """Read a page. Return the number of glyphs that the net classified."""
    import cv2
    import numpy
    import torch

    path, boxes = page
    grey = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    _, ink = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    glyphs = []
    for x0, y0, x1, y1 in boxes:
        field = ink[y0:y1, x0:x1]
        _, _, parts, _ = cv2.connectedComponentsWithStats(field)
        for x, y, width, height, area in parts[1:]:
            if area < 30 or width > field.shape[1] // 2:
                continue
            scale = 20 / max(width, height)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            small = cv2.resize(field[y : y + height, x : x + width], size, interpolation=cv2.INTER_AREA)
            glyph = numpy.zeros((28, 28), numpy.float32)
            top, left = (28 - size[1]) // 2, (28 - size[0]) // 2
            glyph[top : top + size[1], left : left + size[0]] = small / 255
            glyphs.append(glyph)
    if glyphs:
        with torch.no_grad():
            net(torch.from_numpy(numpy.stack(glyphs)[:, None])).softmax(1).argmax(1).tolist()
    return len(glyphs)


def main():
    set_up()
    import multiprocessing

    scans = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "fixtures" / "scans" / "office")
    python_rates, formread_rates = [], []
    with tempfile.TemporaryDirectory() as folder, multiprocessing.Pool(WORKERS, start_worker) as pool:
        pages = field_boxes(scans, folder)
        pool.map(read_page, pages)
        pages = pages * max(1, 60 // len(pages))
        for _ in range(RUNS):
            start = time.monotonic()
            n_glyphs = sum(pool.imap_unordered(read_page, pages, chunksize=4))
            python_rates.append(len(pages) / (time.monotonic() - start))
            bench = [FORMREAD, "bench", scans, "--jobs", str(WORKERS), "--json"]
            formread_rates.append(json.loads(subprocess.run(bench, check=True, capture_output=True).stdout)["read_pages_per_s"])
    python, formread = statistics.median(python_rates), statistics.median(formread_rates)
    print(f"OpenCV with PyTorch  {python:8.1f} pages/s, {n_glyphs / len(pages):.0f} glyphs a page")
    print(f"formread             {formread:8.1f} pages/s")
    print(f"ratio                {formread / python:8.2f}")


if __name__ == "__main__":
    main()
