"""Lines as SVG: reads kind, clients and commits a second, separated by tabs; writes a plot with a line for each kind."""

import html
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 64, 190, 24, 48
COLOURS = {"lead_phones": "#0a7d4f", "untracked": "#999999"}
OTHERS = ["#b4471f", "#31629e", "#8a4f9e", "#b38600"]


def main():
    lines = {}
    for row in sys.stdin:
        kind, clients, rate = row.rstrip("\n").split("\t")
        lines.setdefault(kind, []).append((int(clients), float(rate)))
    clients = sorted({x for line in lines.values() for x, _ in line})
    most = max(y for line in lines.values() for _, y in line)
    step = next(step for step in (500, 1000, 2000, 2500, 5000, 10000, 20000, 50000) if most / step <= 7)
    top = (int(most / step) + 1) * step

    def x(value):
        return LEFT + clients.index(value) * (WIDTH - LEFT - RIGHT) / (len(clients) - 1)

    def y(value):
        return HEIGHT - BOTTOM - value * (HEIGHT - TOP - BOTTOM) / top

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">',
           "<title>Commits a second on one number, against clients</title>",
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for value in range(0, top + 1, step):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e4e4e4"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#444">{value:,}</text>')
    for value in clients:
        out.append(f'<text x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#444">{value}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle" fill="#444">clients that insert leads with one number</text>')
    out.append(f'<text x="{LEFT - 8}" y="{TOP - 8}" text-anchor="middle" fill="#444">commits/s</text>')
    others = iter(OTHERS * 3)
    ends = []
    for kind, line in lines.items():
        colour = COLOURS.get(kind) or next(others)
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in line)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{3 if kind == "lead_phones" else 1.8}"/>')
        ends.append((y(line[-1][1]), kind, colour))
    # labels do not lie on one another
    last = -100.0
    for place, kind, colour in sorted(ends):
        last = max(place, last + 15)
        out.append(f'<text x="{WIDTH - RIGHT + 8}" y="{last + 4:.1f}" fill="{colour}">{html.escape(kind)}</text>')
    print("\n".join([*out, "</svg>"]))


if __name__ == "__main__":
    main()
