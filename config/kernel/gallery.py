"""Sample rows for the component gallery (/design/ while DEBUG): invented, in the shapes that pages pass to the tags."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def _stop(metric: str, status: str, label: str, detail: str) -> dict[str, Any]:
    return {"metric": metric, "status": status, "label": label, "detail": detail, "sentence": f"{label} {detail}"}


def _ring(status: str, left: float, value: str, unit: str, target: str, sentence: str) -> dict[str, Any]:
    return {
        "status": status,
        "share_left": left,
        "value": value,
        "unit": unit,
        "target": target,
        "sentence": sentence,
    }


def _mini(*statuses: str) -> list[dict[str, Any]]:
    names = (_("响应"), _("到场"), _("恢复"), _("修复"))
    return [_stop("", status, name, "") for status, name in zip(statuses, names, strict=True)]


def examples() -> dict[str, Any]:
    """Context of the gallery page."""
    return {
        "priorities": [1, 2, 3, 4],
        "states": [
            "new",
            "triaged",
            "assigned",
            "accepted",
            "arrived",
            "working",
            "paused",
            "resolved",
            "verifying",
            "closed",
            "cancelled",
            "rejected",
            "reopened",
        ],
        "rings": [
            _ring("ok", 0.7, "38", _("分"), _("修复"), "距修复 38 分"),
            _ring("warn", 0.2, "4:12", "", _("到场"), "距到场 4 分 12 秒"),
            _ring("breach", 0, "+2", _("分"), _("到场"), "到场超时 2 分"),
            _ring("hold", 0, _("暂停"), "", _("等配件"), "暂停，等配件"),
        ],
        "stops": [
            _stop("response", "met", _("响应"), "1 分 12 秒"),
            _stop("arrival", "late", f"{_('到场')} +2:18", "14:28"),
            _stop("restoration", "near", _("恢复"), "还有 5 分"),
            _stop("fix", "todo", _("修复"), "最晚 18:21"),
        ],
        "minis": [
            _mini("met", "met", "met", "now"),
            _mini("met", "near", "todo", "todo"),
            _mini("met", "late", "todo", "todo"),
            _mini("met", "met", "hold", "todo"),
        ],
        "terms": [
            {"label": _("等待"), "value": 4.0},
            {"label": _("修不好风险"), "value": 2.2},
            {"label": _("路程"), "value": 1.8},
            {"label": _("负载"), "value": 1.0},
        ],
        "term_labels": [_("等待"), _("修不好风险"), _("路程"), _("负载")],
        "loads": [(0, 5), (1, 5), (3, 5), (4, 4)],
        "swatches": [
            ("ink", "墨 16.7"),
            ("brand", "主色 7.9"),
            ("breach", "超时 6.6"),
            ("info", "信息 7.1"),
            ("ok", "达成 5.0"),
            ("warn", "留意 9.2"),
            ("breach-tint", "浅红 7.9"),
            ("warn-tint", "浅黄 7.0"),
            ("ok-tint", "浅绿 7.1"),
            ("brand-tint", "浅青 9.0"),
        ],
        "tiles": [("monitor-off", "屏幕故障"), ("power-off", "停机"), ("gauge", "流量传感器\n报警")],
        "faces": [("smile", "满意"), ("meh", "一般"), ("frown", "不满意")],
    }
