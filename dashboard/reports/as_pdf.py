"""A report on one page of A4: figures, a chart, tables cut to what fits with the rest summed up, changes, notes.

Nothing is clipped: text that is too wide for its place is set smaller, and below that ends in an ellipsis. The fonts
are embedded, so that the page looks the same everywhere.
"""

import html
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import Align, MethodReturnValue
from fpdf.fonts import TTFFont

from dashboard import units
from dashboard.names import display_name
from dashboard.reports.fitting import Printed, printed, share_out
from dashboard.reports.report import Chart, Figure, Letterhead, Report, Table

FOLDER = Path(__file__).parent / "fonts"
# For scripts that the embedded font lacks: whichever of these the machine has.
MORE_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/noto/NotoSansDevanagari-Regular.ttf",
    "/usr/share/fonts/truetype/noto/NotoSansThai-Regular.ttf",
    "/Library/Fonts/Arial Unicode.ttf",
    "C:/Windows/Fonts/msyh.ttc",
)
WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 15.0
INNER = WIDTH - 2 * MARGIN
LINE, HEAD, NOTE, GAP = 4.6, 5.2, 3.3, 4.0
SMALLEST = 5.5
LEAST_NAME = 38.0
MOST_TABLES = 4
NO_SIGN = "▯"
INK, GREY, RULE = "#171A21", "#667085", "#D0D5DD"


def written(report: Report, letterhead: Letterhead | None = None) -> bytes:
    """The page as a file."""
    return _Sheet(report, letterhead or Letterhead()).written()


class _Sheet:
    def __init__(self, report: Report, letterhead: Letterhead) -> None:
        self.report, self.letterhead = report, letterhead
        self.pdf = FPDF(format="A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.add_font("text", "", FOLDER / "DejaVuSansCondensed.ttf")
        self.pdf.add_font("text", "B", FOLDER / "DejaVuSansCondensed-Bold.ttf")
        more = [font for font in MORE_FONTS if Path(font).exists()]
        for number, font in enumerate(more):
            self.pdf.add_font(f"more{number}", "", font)
        self.pdf.set_fallback_fonts([f"more{number}" for number in range(len(more))], exact_match=False)
        self.pdf.set_text_shaping(True)
        self._known = {sign for font in self.pdf.fonts.values() if isinstance(font, TTFFont) for sign in font.cmap}
        self.pdf.add_page()
        self.pdf.set_title(f"{report.title}, {report.period}")
        self.pdf.set_creation_date(report.as_of)
        self.pdf.set_lang("en")

    def written(self) -> bytes:
        foot = self._foot()
        top = self._figures(self._header())
        tables = self._worth_printing()
        charts = [chart for chart in self.report.charts if _bars(chart)]
        if charts:
            top = self._chart(charts[0], top)
        self._tables(tables, top, foot)
        return bytes(self.pdf.output())

    def _header(self) -> float:
        top, left = MARGIN, MARGIN
        if self.letterhead.logo:
            seen = self.pdf.image(
                str(self.letterhead.logo), MARGIN, MARGIN, 40, 14, keep_aspect_ratio=True, alt_text="Logo"
            )
            left += seen.rendered_width + 5
        wide = WIDTH - MARGIN - left
        if self.letterhead.title:
            self._text(left, top, wide, 5, self.letterhead.title, 9, colour=GREY)
            top += 5
        self._text(left, top, wide, 9, self.report.title, 17, bold=True)
        compared = f", compared with {self.report.before_period}" if self.report.before_period else ""
        self._text(left, top + 9, wide, 5, f"{self.report.period} ({self.report.zone}){compared}", 9, colour=GREY)
        top = max(top + 14, MARGIN + 15 if self.letterhead.logo else 0)
        self._text(
            MARGIN, top, INNER, 5, f"{'; '.join(self.report.scope)}. As of {units.moment(self.report.as_of)}.", 8
        )
        return top + 7

    def _figures(self, top: float) -> float:
        figures = self.report.figures
        for place in range(0, len(figures), 4):
            for column, figure in enumerate(figures[place : place + 4]):
                self._figure(MARGIN + column * INNER / 4, top, INNER / 4 - 3, figure)
            top += 17
        return top + 1

    def _figure(self, left: float, top: float, wide: float, figure: Figure) -> None:
        self.pdf.set_draw_color(RULE)
        self.pdf.rect(left, top, wide + 1, 15.5, round_corners=True, corner_radius=1.2)
        self._text(left + 2, top + 1, wide - 3, 4, units.label(figure.name), 7, colour=GREY)
        said = units.text(figure.name, figure.value, self.report.zone)
        self._text(left + 2, top + 5, wide - 3, 6, said, 13, bold=True)
        if moved := units.change(figure.name, figure.value, figure.before):
            self._text(left + 2, top + 11, wide - 3, 4, f"{moved} vs {self.report.before_period}", 6.5, colour=GREY)

    def _worth_printing(self) -> list[Table]:
        """The tables by name of something, as many as are of use on a page; those of days stand behind charts."""
        named = [table for table in self.report.tables if units.kind(table.rows.table.column_names[0]) == "name"]
        return (named or list(self.report.tables))[:MOST_TABLES]

    def _left_out(self) -> list[str]:
        """What the report has beyond this page."""
        more = [table.title for table in self.report.tables if table not in self._worth_printing()]
        said = [f"also in the workbook: {', '.join(more)}"] if more else []
        names = [name for table in self._worth_printing() for name in table.rows[table.rows.table.column_names[0]]]
        if any(NO_SIGN in self._drawable(display_name(name)) for name in names):
            said.append(f"{NO_SIGN} is a sign that no font here has; the workbook has it")
        return said

    def _chart(self, chart: Chart, top: float) -> float:
        """Stacked bars over time, drawn from the figure's own numbers."""
        tall, low = 30.0, top + HEAD + 30.0
        self._text(MARGIN, top, INNER / 2, HEAD, chart.title, 9, bold=True)
        stacks = _bars(chart)
        whens = sorted({when for trace in stacks for when in trace["x"]})
        sums = dict.fromkeys(whens, 0.0)
        for trace in stacks:
            for when, value in zip(trace["x"], trace["y"], strict=True):
                sums[when] += max(value or 0.0, 0.0)
        highest = max(sums.values()) or 1.0
        step = INNER / len(whens)
        heights = dict.fromkeys(whens, 0.0)
        for trace in stacks:
            self.pdf.set_fill_color(trace["marker"]["color"])
            for when, value in zip(trace["x"], trace["y"], strict=True):
                high = max(value or 0.0, 0.0) / highest * tall
                left = MARGIN + whens.index(when) * step
                self.pdf.rect(left + step * 0.1, low - heights[when] - high, step * 0.8, high, style="F")
                heights[when] += high
        self.pdf.set_draw_color(RULE)
        self.pdf.line(MARGIN, low, WIDTH - MARGIN, low)
        ends = [units.day(date.fromisoformat(when[:10])) for when in (whens[0], whens[-1])]
        self._text(MARGIN, low, INNER / 4, 4, ends[0], 6.5, colour=GREY)
        self._text(WIDTH - MARGIN - INNER / 4, low, INNER / 4, 4, ends[1], 6.5, colour=GREY, align=Align.R)
        if len(stacks) == 1:
            return low + 4 + GAP
        self._legend(stacks, low + 4)
        return low + 8 + GAP

    def _legend(self, stacks: Sequence[dict[str, Any]], low: float) -> None:
        wide = INNER / len(stacks)
        for place, trace in enumerate(stacks):
            left = MARGIN + place * wide
            self.pdf.set_fill_color(trace["marker"]["color"])
            self.pdf.rect(left, low + 1.2, 1.8, 1.8, style="F")
            self._text(left + 2.4, low, wide - 3, 4, html.unescape(trace["name"]), 6.5, colour=GREY)

    def _tables(self, tables: Sequence[Table], top: float, foot: float) -> None:
        notes = sum(len(self._wrapped(table.note, 7, 2)) for table in tables)
        fixed = sum(2 * HEAD + GAP + (LINE if table.total else 0) for table in tables) + notes * NOTE
        room = int((foot - top - fixed) / LINE)
        given = share_out([len(table.rows) for table in tables], room)
        for table, most in zip(tables, given, strict=True):
            top = self._table(table, most, top)

    def _table(self, table: Table, most: int, top: float) -> float:
        first, *rest = table.rows.table.column_names
        known = [name for name in rest if any(value not in (None, 0) for value in table.rows[name])]
        words = printed(table, [first, *known], most, self.report.zone)
        widths = self._widths(words)
        self._text(MARGIN, top, INNER, HEAD, words.title, 9, bold=True)
        top += HEAD
        for line in self._wrapped(words.note, 7, 2):
            self._text(MARGIN, top, INNER, NOTE, line, 7, colour=GREY)
            top += NOTE
        self._line(words.head, widths, top, HEAD, colour=GREY)
        top += HEAD
        self.pdf.set_draw_color(RULE)
        self.pdf.line(MARGIN, top, MARGIN + sum(widths), top)
        for row in words.rows:
            self._line(row, widths, top, LINE)
            top += LINE
        if words.total:
            self.pdf.set_draw_color(INK)
            self.pdf.line(MARGIN, top, MARGIN + sum(widths), top)
            self._line(words.total, widths, top, LINE, bold=True)
            top += LINE
        return top + GAP

    def _widths(self, words: Printed) -> list[float]:
        """As many columns as fit, from the left, each as wide as it has to be; names get what is left."""
        self.pdf.set_font("text", "B", 7.5)
        widths: list[float] = []
        for column in range(1, len(words.head)):
            shown = [line[column] for line in (words.head, *words.rows, words.total) if line]
            need = min(max(max(self.pdf.get_string_width(word) for word in shown) + 3, 14.0), 34.0)
            if sum(widths) + need > INNER - LEAST_NAME:
                break
            widths.append(need)
        return [INNER - sum(widths), *widths]

    def _line(
        self,
        words: Sequence[str],
        widths: Sequence[float],
        top: float,
        tall: float,
        bold: bool = False,
        colour: str = INK,
    ) -> None:
        left = MARGIN
        for place, (word, wide) in enumerate(zip(words, widths, strict=False)):
            align = Align.L if place == 0 else Align.R
            self._text(
                left, top, wide - (2 if place == 0 else 0), tall, word, 7.5, bold=bold, colour=colour, align=align
            )
            left += wide

    def _foot(self) -> float:
        """Notes at the foot of the page; returns where they begin."""
        said = [self.letterhead.note] if self.letterhead.note else []
        said += [
            f"{self.report.basis.removesuffix('.')}: an estimate of the bill, not an invoice.",
            " · ".join([*self.report.notes, *self._left_out()]),
        ]
        lines = [line for note in said for line in self._wrapped(note, 6.5, 4)]
        top = HEIGHT - MARGIN - NOTE * len(lines)
        self.pdf.set_draw_color(RULE)
        self.pdf.line(MARGIN, top - 1.5, WIDTH - MARGIN, top - 1.5)
        for number, line in enumerate(lines):
            self._text(MARGIN, top + NOTE * number, INNER, NOTE, line, 6.5, colour=GREY)
        return top - 3

    def _wrapped(self, words: str, size: float, most: int) -> list[str]:
        """Words in lines as wide as the page; what is beyond so many lines is an ellipsis at the end of the last."""
        self.pdf.set_font("text", "", size)
        lines: Any = self.pdf.multi_cell(
            INNER, NOTE, display_name(words, limit=2000) if words else "", dry_run=True, output=MethodReturnValue.LINES
        )
        kept = [line.strip() for line in lines if line.strip()]
        return kept if len(kept) <= most else [*kept[: most - 1], f"{kept[most - 1]} …"]

    def _drawable(self, words: str) -> str:
        """The words with a box in place of each sign that no font at hand has."""
        return "".join(sign if ord(sign) in self._known else NO_SIGN for sign in words)

    def _text(
        self,
        left: float,
        top: float,
        wide: float,
        tall: float,
        words: str,
        size: float,
        *,
        bold: bool = False,
        colour: str = INK,
        align: Align = Align.L,
    ) -> None:
        """One line within its box: set smaller if it has to be, and ended with an ellipsis where that is not enough."""
        words = self._drawable(display_name(words, limit=900)) if words else ""
        self.pdf.set_font("text", "B" if bold else "", size)
        self.pdf.c_margin = 0
        while self.pdf.get_string_width(words) > wide and size > SMALLEST:
            size -= 0.5
            self.pdf.set_font_size(size)
        if self.pdf.get_string_width(words) > wide:
            fits, too_long = 0, len(words)
            while too_long - fits > 1:
                middle = (fits + too_long) // 2
                if self.pdf.get_string_width(f"{words[:middle]}…") <= wide:
                    fits = middle
                else:
                    too_long = middle
            words = f"{words[:fits].rstrip()}…"
        self.pdf.set_text_color(colour)
        self.pdf.set_xy(left, top)
        self.pdf.cell(wide, tall, words, align=align)


def _bars(chart: Chart) -> list[dict[str, Any]]:
    """The stacks of a chart of bars over time; none for any other chart."""
    traces = [trace for trace in chart.figure["data"] if trace["type"] == "bar" and trace.get("orientation") != "h"]
    return [trace for trace in traces if trace["x"] and all(isinstance(when, str) for when in trace["x"])]
