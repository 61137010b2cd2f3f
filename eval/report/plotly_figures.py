"""The same figures for the page: plotly's JSON, drawn by the script that the page carries.

Text reaches plotly escaped, because plotly reads a little HTML in it.
"""

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from eval.report.data import Cell, Contestant, Section, number
from eval.report.figures import PANELS, RATIOS, Dot, rows_of, scene
from eval.report.style import GREY, INK, OTHERS_INK, Style, caption

__all__ = ["figures", "script"]

PER_POINT = 96 / 72
SYMBOLS = {"v": "triangle-down-open", "o": "circle", "^": "triangle-up-open"}


def figures(section: Section, looks: Sequence[Style]) -> dict[str, str]:
    """Figure JSON by name, safe inside a script element."""
    made: dict[str, Any] = {"cost-quality": _cost_quality(section, looks)}
    made["apgr"] = _apgr(section, looks)
    for metric, title in PANELS:
        made[f"prices-{metric}"] = _panel(section, looks, metric, title)
    return {name: _safe(figure) for name, figure in made.items() if figure is not None}


def script() -> str:
    """plotly's own script, whole."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _safe(figure: dict[str, Any]) -> str:
    """Checked against plotly's schema; no character can end the script element."""
    import plotly.graph_objects as go

    go.Figure({"data": figure["data"], "layout": figure["layout"]})
    text = json.dumps(figure, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _cost_quality(section: Section, looks: Sequence[Style]) -> dict[str, Any] | None:
    seen = scene(section, looks)
    if seen is None:
        return None
    data = []
    for c, s, line in seen.lines:
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": _text(caption(c)),
                "x": line.usd,
                "y": line.accuracy,
                "customdata": line.share,
                "line": {
                    "color": s.colour,
                    "dash": s.dash,
                    "width": 1.3 if s.faint or c.policy == "random" else 2.4,
                },
                "legendgroup": _group(c.policy, c.terms),
                "showlegend": not s.faint,
                "hovertemplate": f"<b>{_text(c.policy)}</b>, {_text(c.terms)}<br>"
                "%{x:.3f} USD per 1,000<br>accuracy %{y:.4f}<br>"
                "large for %{customdata:.1%} of queries<extra></extra>",
            }
        )
    data += [_dot(dot) for dot in seen.dots if dot.alone or not dot.style.faint]
    notes = [
        {
            "text": _text(label.text),
            "x": label.x,
            "y": label.y,
            "ax": label.dx * PER_POINT,
            "ay": -label.dy * PER_POINT,
            "xanchor": "right" if label.dx < -1 else "left" if label.dx > 1 else "center",
            "yanchor": "top" if label.dy < -1 else "bottom" if label.dy > 1 else "middle",
            "align": "right" if label.dx < -1 else "left",
            "font": {"color": label.colour, "size": 13},
            "showarrow": True,
            "arrowhead": 0,
            "arrowwidth": 0.8,
            "arrowcolor": GREY if (label.dx**2 + label.dy**2) ** 0.5 > 12 else "rgba(0,0,0,0)",
            "standoff": 3,
            "bgcolor": "rgba(255,255,255,0.75)",
        }
        for label in seen.labels
    ]
    layout = _layout("USD per 1,000 queries")
    layout["xaxis"]["range"] = seen.frame.x
    layout["yaxis"] |= {"range": seen.frame.y, "title": {"text": "accuracy"}}
    layout["annotations"] = notes
    layout["legend"] = {"orientation": "h", "y": -0.18, "yanchor": "top", "x": 0}
    return {
        "data": data,
        "layout": layout,
        "height": 560,
        "narrow": 640,
        "labels": True,
        "legend": True,
    }


def _dot(dot: Dot) -> dict[str, Any]:
    share = "" if dot.share is None else f"<br>large for {dot.share:.1%} of queries"
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _text(f"{dot.name}\n{dot.terms}" if " labels" in dot.terms else dot.name),
        "x": [dot.usd.value],
        "y": [dot.accuracy.value],
        "error_x": _arms(dot.usd),
        "error_y": _arms(dot.accuracy),
        "marker": {
            "color": dot.style.colour,
            "size": 5 if dot.style.faint else 9,
            "symbol": dot.style.symbol + ("-open" if dot.alone else ""),
        },
        "legendgroup": _group(dot.name, dot.terms),
        "showlegend": dot.alone and not dot.style.faint,
        "hovertemplate": f"<b>{_text(dot.name)}</b>, {_text(dot.terms)}, operating point<br>"
        f"{_shown(dot.usd, 'usd-per-1000')} USD per 1,000<br>"
        f"accuracy {_shown(dot.accuracy, 'accuracy')}{share}<extra></extra>",
    }


def _apgr(section: Section, looks: Sequence[Style]) -> dict[str, Any] | None:
    rows = rows_of(section, looks, "apgr")
    others = section.published()
    if not rows:
        return None
    data, ticks = [], []
    for i, (c, s) in enumerate(rows):
        data.append(_point(c, s, "apgr", "APGR", -float(i), "o"))
        ticks.append((-float(i), _text(caption(c)), s.ink))
    below = -len(rows) - 0.1
    for i, (name, value) in enumerate(others.items()):
        y = below - 0.9 * i
        title = f"{_text(name)}<br>published, not ours"
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [value],
                "y": [y],
                "marker": {"symbol": "circle-open", "size": 10, "color": OTHERS_INK},
                "hovertemplate": f"<b>{title}</b><br>APGR {number(value)}<extra></extra>",
            }
        )
        ticks.append((y, title, OTHERS_INK))
    bottom = below - 0.9 * len(others) + 0.2 if others else -len(rows) + 0.4
    layout = _layout("APGR")
    layout["yaxis"] |= _ticks(ticks, (bottom, 0.6))
    layout["shapes"] = [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": 0.5,
            "x1": 0.5,
            "y0": 0,
            "y1": 1,
            "layer": "above",
            "line": {"dash": "dot", "width": 1.4, "color": GREY},
        }
    ]
    layout["showlegend"] = False
    layout["margin"]["r"] = 150
    layout["annotations"] = [
        {
            "text": _shown(c.get("apgr"), "apgr"),
            "xref": "paper",
            "x": 1.01,
            "y": -i,
            "xanchor": "left",
            "showarrow": False,
            "font": {"color": s.ink},
        }
        for i, (c, s) in enumerate(rows)
    ]
    height = 90 + round(44 * (0.6 - bottom))
    return {"data": data, "layout": layout, "height": height, "narrow": height, "labels": True}


def _panel(
    section: Section, looks: Sequence[Style], metric: str, title: str
) -> dict[str, Any] | None:
    rows = rows_of(section, looks, metric)[:12]
    if not rows:
        return None
    data, ticks = [], []
    for i, (c, s) in enumerate(rows):
        for k, (suffix, how, marker) in enumerate(RATIOS):
            if c.get(metric + suffix).value is not None:
                name = f"{title}, price ratio {how}"
                y = -i + 0.24 * (1 - k)
                data.append(_point(c, s, metric + suffix, name, y, marker))
        ticks.append((-float(i), _text(caption(c)), s.ink))
    layout = _layout("")
    layout["title"] = {
        "text": title,
        "font": {"size": 14, "color": INK},
        "x": 0.02,
        "xanchor": "left",
    }
    layout["margin"]["t"] = 36
    layout["yaxis"] |= _ticks(ticks, (-len(rows) + 0.4, 0.6))
    layout["showlegend"] = False
    height = 100 + 46 * len(rows)
    return {"data": data, "layout": layout, "height": height, "narrow": height}


def _point(
    c: Contestant, style: Style, metric: str, title: str, y: float, marker: str
) -> dict[str, Any]:
    cell = c.get(metric)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [cell.value],
        "y": [y],
        "error_x": _arms(cell),
        "marker": {
            "color": GREY if style.faint else style.colour,
            "size": 9,
            "symbol": SYMBOLS[marker],
        },
        "hovertemplate": f"<b>{_text(c.policy)}</b>, {_text(c.terms)}<br>"
        f"{title}: {_shown(cell, metric)}<extra></extra>",
    }


def _ticks(ticks: Sequence[tuple[float, str, str]], span: tuple[float, float]) -> dict[str, Any]:
    texts = [f'<span style="color:{colour}">{text}</span>' for _, text, colour in ticks]
    return {
        "tickvals": [y for y, _, _ in ticks],
        "ticktext": texts,
        "range": span,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
    }


def _layout(below: str) -> dict[str, Any]:
    axis = {"gridcolor": "#EEEEEE", "linecolor": GREY, "zeroline": False, "showline": True}
    return {
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "margin": {"l": 56, "r": 12, "t": 12, "b": 56},
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": "white", "font": {"color": INK}},
        "xaxis": {**axis, "title": {"text": below}, "automargin": True},
        "yaxis": {**axis, "automargin": True},
    }


def _arms(cell: Cell) -> dict[str, Any]:
    if cell.value is None or cell.low is None or cell.high is None:
        return {"visible": False}
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(cell.high - cell.value, 0.0)],
        "arrayminus": [max(cell.value - cell.low, 0.0)],
        "thickness": 1.3,
        "width": 0,
    }


def _shown(cell: Cell, metric: str) -> str:
    text = number(cell.value, metric)
    if cell.low is not None and cell.high is not None:
        text += f" [{number(cell.low, metric)}, {number(cell.high, metric)}]"
    return text


def _group(policy: str, terms: str) -> str:
    return _text(f"{policy} {terms}")


def _text(text: str) -> str:
    """Plotly reads tags, %{..} and $..$ in text."""
    return escape(text).replace("%{", "%&#123;").replace("$", "&#36;").replace("\n", "<br>")
