"""The drawn signs and the words beside them: exact geometry, exact words, both languages."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Template, TemplateSyntaxError
from django.utils import translation

from config.kernel import signs, words

SHANGHAI = ZoneInfo("Asia/Shanghai")


def rendered(source: str, **context: object) -> str:
    return Template("{% load wardline %}" + source).render(Context(context))


def stop(status: str, sentence: str = "到场 7 分 40 秒") -> dict[str, str]:
    return {"metric": "arrival", "status": status, "label": "到场", "detail": "14:28", "sentence": sentence}


@pytest.mark.parametrize(
    ("seconds", "clock", "spoken", "due"),
    [
        (0, "0:00", "0 秒", "0:00"),
        (12, "0:12", "12 秒", "0:12"),
        (72, "1:12", "1 分 12 秒", "1:12"),
        (299, "4:59", "4 分 59 秒", "4:59"),
        (300, "5:00", "5 分", "5 分"),
        (2280, "38:00", "38 分", "38 分"),
        (7500, "2:05:00", "2 时 05 分", "2 时 05 分"),
        (7200, "2:00:00", "2 时", "2 时 00 分"),
        (13_132, "3:38:52", "3 时 38 分", "3 时 38 分"),
        (273_600, "76:00:00", "3 天 4 时", "3 天"),
        (259_200, "72:00:00", "3 天", "3 天"),
        (-138, "+2:18", "2 分 18 秒", "+2:18"),
        (-600, "+10:00", "10 分", "+10 分"),
    ],
)
def test_a_span_is_said_the_same_way_everywhere(seconds, clock, spoken, due):
    assert words.clock(seconds) == clock
    assert words.spoken(timedelta(seconds=seconds)) == spoken
    assert words.due(seconds) == due


@pytest.mark.parametrize(
    ("seconds", "figure"),
    [
        (252, ("4:12", "")),
        (2280, ("38", "分")),
        (7500, ("2:05", "时")),
        (61_380, ("17", "时")),
        (259_200, ("3", "天")),
        (-45, ("+45", "秒")),
        (-138, ("+2", "分")),
        (-7500, ("+2:05", "时")),
    ],
)
def test_the_ring_shows_minutes_and_seconds_only_in_the_last_five_minutes(seconds, figure):
    assert words.ring_figure(seconds) == figure


def test_a_part_of_a_second_is_not_rounded_up():
    assert words.clock(59.999) == "0:59"
    assert words.clock(timedelta(milliseconds=-500)) == "0:00"


@pytest.mark.parametrize(
    ("name", "said"),
    [("李志远", "李"), ("欧阳修远", "欧阳"), ("欧阳", "欧"), ("Mary Chen", "Chen"), ("  ", ""), ("王工", "王")],
)
def test_surname(name, said):
    assert words.surname(name) == said


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_each_priority_has_a_shape_of_its_own(level):
    badge = rendered("{% priority_badge level %}", level=level)

    assert badge.startswith(f'<span class="p p{level}"><svg class="g" viewBox="0 0 12 12" aria-hidden="true">')
    assert badge.endswith(f"</svg>P{level}</span>")
    assert len(set(signs.PRIORITY.values())) == 4


def test_priority_badge_takes_the_word_p1_and_says_the_meaning_once_asked():
    assert rendered('{% priority_badge "P1" meaning=True %}').endswith("P1 危及患者</span>")


def test_the_state_pie_fills_towards_the_end():
    shares = [
        float(str(signs.state(s)).split('stroke-dasharray="')[1].split()[0])
        for s in ("assigned", "accepted", "arrived", "working")
    ]

    assert shares == [1.88, 3.77, 6.28, 9.42]


def test_every_ticket_state_has_sign_tone_and_word():
    from config.kernel.templatetags.wardline import _STATE_WORD
    from tickets.record.models import State

    assert {str(s) for s in State} == set(signs.STATE_TONE) == set(_STATE_WORD)
    for state in State:
        assert f"</svg>{state.label}</span>" in rendered("{% state_sign state %}", state=state)


def test_ring_arc_is_the_share_left():
    assert 'stroke-dasharray="110.0 200"' in signs.ring("ok", 0.7)
    assert 'stroke-dasharray="31.4 200"' in signs.ring("warn", 0.2)
    assert 'stroke-dasharray="157.1 200"' in signs.ring("ok", 1.3)
    assert 'stroke-dasharray="0.0 200"' in signs.ring("ok", -0.1)


def test_ring_states_differ_without_colour():
    assert 'class="tri"' in signs.ring("warn", 0.1)
    assert 'class="disc"' in signs.ring("breach", 0)
    assert "arc" not in signs.ring("hold", 0.5)


def test_ring_speaks_one_sentence_and_ticks_by_its_due_time():
    due = datetime(2026, 11, 20, 14, 31, tzinfo=SHANGHAI)
    ring = {
        "status": "warn",
        "share_left": 0.19,
        "value": "1:52",
        "unit": "",
        "target": "到场",
        "sentence": "距到场 1 分 52 秒",
    }

    drawn = rendered("{% sla_ring ring %}", ring=ring | {"due": due, "total": timedelta(minutes=10)})

    assert drawn.startswith('<span class="ringw" role="img" aria-label="距到场 1 分 52 秒"><span class="ring warn"')
    assert 'data-due="2026-11-20T14:31:00+08:00" data-form="ring" data-target="到场" data-total="600"' in drawn
    assert '<b>1:52</b></span></span><span class="to">到场</span></span>' in drawn


def test_mini_line_is_solid_where_walked_and_dashed_ahead():
    drawn = str(signs.mini(["met", "now", "todo", "todo"]))

    assert drawn.startswith(
        '<svg viewBox="0 0 92 14" width="92" height="14" aria-hidden="true"><circle cx="7" cy="7" r="5" fill="var(--ok)"/>'
    )
    assert '<path d="M13 7h14" stroke="var(--ink-2)" stroke-width="2"/>' in drawn
    assert '<path d="M39 7h14" stroke="var(--path)" stroke-dasharray="2 3" stroke-width="2"/>' in drawn
    assert '<path d="M65 7h14" stroke="var(--path)" stroke-dasharray="2 3" stroke-width="2"/>' in drawn


def test_mini_line_says_all_four_stops():
    stops = [
        stop("met", "响应 1 分 12 秒"),
        stop("late", "到场超时 2 分 18 秒"),
        stop("now", "恢复进行中"),
        stop("todo", "修复最晚 18:21"),
    ]

    drawn = rendered("{% sla_mini stops %}", stops=stops)

    assert 'role="img" aria-label="响应 1 分 12 秒，到场超时 2 分 18 秒，恢复进行中，修复最晚 18:21"' in drawn


def test_names_typed_by_people_are_escaped_in_every_sign():
    bad = "<b onclick=x>"
    drawn = rendered("{% sla_line stops %}{% sla_mini stops %}{% score_stack terms 4 %}{% countdown None bad %}",
                     stops=[stop("met", bad) | {"label": bad, "detail": bad}] * 4, terms=[{"label": bad, "value": 1}], bad=bad)  # fmt: skip

    assert bad not in drawn
    assert "&lt;b onclick=x&gt;" in drawn


def test_score_stack_keeps_one_scale_and_hatches_the_third_term():
    terms = [{"label": n, "value": v} for n, v in (("等待", 1.6), ("修不好风险", 0.9), ("路程", 0.9), ("负载", 0.7))]

    drawn = rendered("{% score_stack terms 9.3 %}", terms=terms)

    assert 'aria-label="等待 1.6，修不好风险 0.9，路程 0.9，负载 0.7"' in drawn
    assert '<svg class="seg" x="0.0%" width="17.2%"' in drawn
    assert '<svg class="seg" x="36.6%" width="7.5%"' in drawn
    assert drawn.count("k3-l") == 1
    assert "style=" not in drawn


def test_a_term_of_nothing_draws_nothing():
    assert rendered("{% score_stack terms 5 %}", terms=[{"label": "等待", "value": 0}]).count("<rect") == 0


def test_meter_width_is_an_attribute_and_never_leaves_its_track():
    assert '<rect class="fg" width="60.0%"' in signs.meter(0.6)
    assert '<rect class="fg" width="100.0%"' in signs.meter(1.4)
    assert '<rect class="fg" x="64.3%" width="35.7%"' in signs.meter(5 / 14, from_end=True)


@pytest.mark.parametrize(
    ("n", "limit", "boxes", "word"),
    [
        (0, 5, {"on": 0, "full": 0}, "空闲"),
        (3, 5, {"on": 3, "full": 0}, "3 / 5"),
        (4, 4, {"on": 0, "full": 4}, "满"),
        (6, 4, {"on": 0, "full": 4}, "满"),
    ],
)
def test_load_pips(n, limit, boxes, word):
    drawn = rendered("{% load_pips n limit %}", n=n, limit=limit)

    assert drawn.count("<i") == limit
    assert {name: drawn.count(f'class="{name}"') for name in boxes} == boxes
    assert f'aria-label="{n} 单，上限 {limit} 单"' in drawn
    assert rendered("{% load_word n limit %}", n=n, limit=limit) == word


def test_icon_refers_to_the_sprite_and_an_inline_icon_needs_nothing():
    assert rendered('{% icon "phone" size=24 class="c-ok" %}').startswith(
        '<svg class="i i-24 c-ok" aria-hidden="true"><use href="'
    )
    assert rendered('{% icon "phone" %}').endswith('icons.svg#phone"/></svg>')
    inline = rendered('{% icon_inline "x" size=20 %}')
    assert (
        inline
        == '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="M18 6 6 18"/><path d="m6 6 12 12"/></svg>'
    )


def test_an_unknown_icon_is_a_mistake_in_the_template():
    with pytest.raises(TemplateSyntaxError):
        rendered('{% icon "no-such-icon" %}')


@time_machine.travel(datetime(2026, 11, 20, 14, 29, tzinfo=SHANGHAI), tick=False)
@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 11, 20, 14, 21, 8, tzinfo=SHANGHAI), "14:21"),
        (datetime(2026, 11, 19, 17, 0, tzinfo=ZoneInfo("UTC")), "01:00"),
        (datetime(2026, 11, 19, 9, 20, tzinfo=SHANGHAI), "11-19 09:20"),
        (datetime(2025, 11, 20, 9, 20, tzinfo=SHANGHAI), "2025-11-20"),
    ],
)
def test_a_time_today_has_no_date(moment, said):
    assert rendered("{{ moment|clock_time }}", moment=moment) == said


def test_english_says_the_same_with_its_own_units():
    with translation.override("en"):
        assert words.spoken(72) == "1 min 12 s"
        assert words.spoken(7500) == "2 h 05 min"
        assert words.due(-600) == "+10 min"
        assert words.ring_figure(2280) == ("38", "min")
        assert rendered("{% load_word 4 4 %}") == "Full"
        assert rendered("{% state_sign 'working' %}").endswith("</svg>In repair</span>")
