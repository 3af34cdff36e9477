"""Labels that come out of a printer: the code scans, nothing is under 7 pt, nothing leaves the label."""

from __future__ import annotations

import io
import re
import zlib
from base64 import a85decode
from itertools import pairwise

import pytest
import segno
import zxingcpp
from django.utils import translation
from PIL import Image, ImageDraw
from reportlab.lib.units import mm

from assets.models import Department, Device
from assets.register import queries, services
from assets.register.adapters import labels
from tests import factories

URL = "https://wardline.first-hospital.example.cn/q/k1.AbCdEfGhIjKlMnOpQrSt_-.12.AbCdEfGhIjKlMnOpQrSt_-/"


def _label(**more: str) -> labels.Label:
    given = {"url": URL, "heading": "坏了扫我", "name": "呼吸机 HV-300", "code": "7K3-Q9F", "phone": "电话 8120"}
    return labels.Label(**given | more)


def _pages(pdf: bytes) -> list[str]:
    """The drawing of each page, unpacked."""
    streams = re.findall(rb"ASCII85Decode.*?stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    return [zlib.decompress(a85decode(b"<~" + s.strip(), adobe=True)).decode("latin-1") for s in streams]


def _boxes(page: str) -> list[tuple[float, ...]]:
    """Every dark run of the code: x, y, width, height in points."""
    return [tuple(map(float, found)) for found in re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re", page)]


def _raster(page: str, width: float, height: float, dpi: int) -> Image.Image:
    """The page's dark runs as a printer would set them; text is left out."""
    dot = dpi / 72
    image = Image.new("L", (round(width * dot), round(height * dot)), 255)
    pen = ImageDraw.Draw(image)
    for x, y, w, h in _boxes(page):
        pen.rectangle(
            (round(x * dot), round((height - y - h) * dot), round((x + w) * dot) - 1, round((height - y) * dot) - 1),
            fill=0,
        )
    return image


@pytest.mark.parametrize("dpi", [203, 300, 600])
def test_the_printed_code_scans_at_usual_printer_resolutions(dpi: int) -> None:
    page = _pages(labels.label_sheet([_label()], "single_50x30"))[0]

    read = zxingcpp.read_barcodes(_raster(page, labels.WIDTH, labels.HEIGHT, dpi))

    assert [code.text for code in read] == [URL]


def test_the_code_is_22_mm_wide_at_level_m_with_a_free_zone_of_four_modules() -> None:
    page = _pages(labels.label_sheet([_label()], "single_50x30"))[0]
    boxes = _boxes(page)
    code = segno.make(URL, error="m", boost_error=False, micro=False)
    module = labels.QR / len(code.matrix)

    left, right = min(x for x, *_ in boxes), max(x + w for x, _y, w, _h in boxes)
    bottom, top = min(b[1] for b in boxes), max(b[1] + b[3] for b in boxes)

    assert code.error == "M"
    assert right - left == pytest.approx(22 * mm, abs=0.05)
    assert top - bottom == pytest.approx(22 * mm, abs=0.05)
    assert min(left, bottom, labels.HEIGHT - top) >= 4 * module - 0.05
    assert min(x for x in _text_starts(page)) >= right + 4 * module - 0.05


def _text_starts(page: str) -> list[float]:
    return [float(x) for x in re.findall(r"1 0 0 1 ([\d.]+) [\d.]+ Tm", page)]


@pytest.mark.parametrize("heading", ["坏了扫我", "Broken? Scan me", "A very long heading that nobody asked for"])
def test_no_type_is_smaller_than_7_pt_and_the_code_is_8_pt_bold(heading: str) -> None:
    page = _pages(labels.label_sheet([_label(heading=heading, asset_no="ZC-2023-000123")], "single_50x30"))[0]

    sizes = [float(size) for size in re.findall(r"/F\d[\w+]* ([\d.]+) Tf", page)]

    assert min(sizes) >= 7
    assert 8 in sizes


@pytest.mark.parametrize(
    "name", ["多参数生命体征监护仪（新生儿专用）PM-9000", "Ventilator with a really long English name", "X" * 80, ""]
)
def test_a_long_name_takes_two_lines_and_ends_in_an_ellipsis(name: str) -> None:
    room = 20 * mm

    lines = labels._wrap(name, 7.5, room)

    assert len(lines) <= 2
    assert all(labels._width(line, 7.5) <= room for line in lines)
    assert (lines[-1].endswith("…")) == (
        labels._width(name, 7.5) > room and "".join(lines).replace(" ", "") != name.replace(" ", "")
    )


def test_25_labels_take_two_sheets_of_three_by_eight_with_cut_marks() -> None:
    pages = _pages(labels.label_sheet([_label(asset_no=f"A-{n}") for n in range(25)]))

    assert len(pages) == 2
    marks = re.findall(r"n ([\d.]+) ([\d.]+) m ([\d.]+) ([\d.]+) l S", pages[0])
    assert len(marks) == 2 * (3 + 1) + 2 * (8 + 1)
    upright = sorted({float(x) for x, _y, x2, _y2 in marks if x == x2})
    assert [b - a for a, b in pairwise(upright)] == pytest.approx([50 * mm] * 3, abs=0.01)
    level = sorted({float(y) for _x, y, _x2, y2 in marks if y == y2})
    assert [b - a for a, b in pairwise(level)] == pytest.approx([30 * mm] * 8, abs=0.01)


def test_labels_of_the_register_open_the_right_device_in_the_language_of_the_house(icu: Department) -> None:
    for _n in range(3):
        factories.device(icu)

    with translation.override("en"):
        pdf = services.label_pdf(Device.objects.order_by("pk"), layout="single_50x30")

    pages = _pages(pdf)
    assert len(pages) == 3
    for device, page in zip(Device.objects.order_by("pk"), pages, strict=True):
        read = zxingcpp.read_barcodes(_raster(page, labels.WIDTH, labels.HEIGHT, 300))
        assert queries.resolve_scan(read[0].text) == [device]
        assert device.short_code is not None
        assert f"({device.short_code[:3]}-{device.short_code[3:]})" in page
        assert device.asset_no in page
        assert "Scan" not in page


def test_who_prints_second_prints_the_code_that_the_first_has_printed(icu: Department) -> None:
    blank = factories.device(icu, short_code=None)
    first, second = Device.objects.get(pk=blank.pk), Device.objects.get(pk=blank.pk)

    services.give_short_code(first)
    services.give_short_code(second)

    blank.refresh_from_db()
    assert first.short_code == second.short_code == blank.short_code is not None


def test_a_printed_pdf_is_small() -> None:
    assert len(labels.label_sheet([_label() for _n in range(24)])) < 300_000
    assert labels.label_sheet([]).startswith(b"%PDF")
    assert io.BytesIO(labels.label_sheet([_label()])).read(4) == b"%PDF"
