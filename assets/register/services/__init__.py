"""Every change of a device: its status along the edges, its QR version, the register as a whole."""

from assets.register.services.exchange import Preview, apply_import, export_register, label_pdf, preview_import
from assets.register.services.status import begin_repair, put_in_use, put_out_of_use, release, rotate_qr

__all__ = [
    "Preview",
    "apply_import",
    "begin_repair",
    "export_register",
    "label_pdf",
    "preview_import",
    "put_in_use",
    "put_out_of_use",
    "release",
    "rotate_qr",
]
