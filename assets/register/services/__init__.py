"""Every change of a device: its status along the edges, its QR version, the register as a whole."""

from assets.register.services.exchange import export_register, give_short_code, label_pdf
from assets.register.services.importing import (
    Preview,
    apply_import,
    apply_staged,
    forget_staged,
    preview_import,
    preview_staged,
    stage_import,
)
from assets.register.services.status import (
    begin_repair,
    change_status,
    put_in_use,
    put_out_of_use,
    release,
    restrict,
    return_to_use,
    rotate_qr,
    take_back,
)

__all__ = [
    "Preview",
    "apply_import",
    "apply_staged",
    "begin_repair",
    "change_status",
    "export_register",
    "forget_staged",
    "give_short_code",
    "label_pdf",
    "preview_import",
    "preview_staged",
    "put_in_use",
    "put_out_of_use",
    "release",
    "restrict",
    "return_to_use",
    "rotate_qr",
    "stage_import",
    "take_back",
]
