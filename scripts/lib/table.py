# SPDX-License-Identifier: BSD-3-Clause
"""Aligned tables for people."""


def number(value):
    """1234567 as 1,234,567; None as a dash; text as it is."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def print_table(rows, indent="  "):
    """Rows of cells: the first column is left-aligned, the others right. An empty row is a gap."""
    cells = [[number(cell) for cell in row] for row in rows]
    columns = max(len(row) for row in cells)
    widths = [max(len(row[i]) for row in cells if i < len(row)) for i in range(columns)]
    for row in cells:
        line = [row[0].ljust(widths[0])] if row else []
        line += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print((indent + "   ".join(line)).rstrip())
