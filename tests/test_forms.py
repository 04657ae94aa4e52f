"""Photos, screenshots and documents are told apart without looking at their pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
from pictures import save
from PIL import Image

from geoagent.evidence.capture import capture_of


@pytest.mark.parametrize(
    ("name", "options", "form"),
    [
        ("Screenshot_20230704-153012.png", {}, "screenshot"),
        ("Bildschirmfoto 2023-07-04 um 15.30.12.png", {}, "screenshot"),
        ("截屏2023-07-04.png", {}, "screenshot"),
        ("x.png", {"size": (1170, 2532)}, "screenshot"),
        ("x.png", {"size": (1920, 1080)}, "screenshot"),
        ("x.png", {"size": (1920, 1080), "make": "Panasonic", "model": "DMC-GH4"}, "photo"),
        ("x.jpg", {"make": "EPSON", "model": "Perfection V600", "software": "EPSON Scan"}, "document"),
        ("x.jpg", {"software": "CamScanner"}, "document"),
        ("x.jpg", {"size": (1240, 1754)}, "document"),
        ("x.jpg", {"size": (2550, 3300)}, "document"),
        ("x.jpg", {"size": (1600, 1200)}, "unknown"),
        ("IMG-20230704-WA0003.jpg", {"size": (1200, 1600)}, "unknown"),
        ("x.jpg", {"make": "Apple", "model": "iPhone 14"}, "photo"),
        ("x.png", {"size": (1080, 1920), "make": "Fairphone"}, "photo"),
        ("x.jpg", {"details": {0x829A: 0.008, 0x829D: 2.8}}, "photo"),
        ("Screenshot_20230704-153012.jpg", {"make": "Xiaomi", "model": "M2007"}, "screenshot"),
        ("Screenshot hill.jpg", {"make": "Canon", "model": "EOS R", "details": {0x829A: 0.01}}, "photo"),
        ("x.jpg", {"make": "Apple", "model": "iPhone 8", "details": {0x9286: b"ASCII\0\0\0Screenshot"}}, "screenshot"),
        ("x.jpg", {"make": "EPSON", "model": "GT-X820"}, "document"),
        ("x.jpg", {"make": "SEIKO EPSON CORP.", "model": "PhotoPC 3000Z", "details": {0x829A: 0.01}}, "photo"),
        ("x.jpg", {"make": "NORITSU KOKI", "model": "QSS-32", "details": {0xA300: b"\x01"}}, "document"),
        ("x.jpg", {"make": "Canon", "model": "EOS 80D", "details": {0xA300: b"\x03"}}, "photo"),
    ],
)
def test_photos_screenshots_and_documents(tmp_path: Path, name: str, options: dict, form: str):
    found = capture_of(save(tmp_path / name, **options))
    assert found.form == form
    assert bool(found.why_form) == (form in ("screenshot", "document"))


def test_a_scan_in_black_and_white(tmp_path: Path):
    Image.new("1", (300, 400)).save(tmp_path / "x.tif")
    assert capture_of(tmp_path / "x.tif").form == "document"
