"""A flame graph as SVG from what `perf script` prints.

    perf record -F 499 --call-graph dwarf,16384 -o embed.data -- target/release/examples/batch_throughput OUT EVENTS.jsonl
    perf script --no-inline -i embed.data | benches/compare/flame.py "title" > docs/embed-flame.svg

Width is processor time; a box stands on the one that called it. Names are shortened to their last parts; the whole name and the share
are in the tooltip. Boxes narrower than a thousandth are left out.
"""

import re
import sys
from html import escape

WIDTH, ROW, SMALLEST = 1200, 17, 0.001
STEP = re.compile(r"^\s+[0-9a-f]+\s+(.+?)\s+\(([^()]*)\)\s*$")


class Box:
    def __init__(self):
        self.count, self.inner = 0, {}

    def add(self, stack):
        self.count += 1
        if stack:
            self.inner.setdefault(stack[0], Box()).add(stack[1:])


def name_of(symbol, library):
    symbol = re.sub(r"\+0x[0-9a-f]+$", "", symbol)
    if symbol == "[unknown]":
        return f"[{library.rsplit('/', 1)[-1]}]"
    return re.sub(r"::h[0-9a-f]{16}$", "", symbol)


def stacks(lines):
    """Each sample's calls, outermost first."""
    stack = []
    for line in lines:
        step = STEP.match(line)
        if step:
            name = name_of(*step.groups())
            # A library without symbols is one box, however deep it goes.
            if not (stack and stack[-1] == name and name.startswith("[")):
                stack.append(name)
        elif not line.strip() and stack:
            yield stack[::-1]
            stack = []
    if stack:
        yield stack[::-1]


def shortened(name):
    name = re.sub(r"<[^<>]*>", "", re.sub(r"<[^<>]*>", "", name))
    return "::".join(name.split("::")[-2:])


def draw(box, name, left, depth, total, out):
    share = box.count / total
    if share < SMALLEST:
        return depth
    width, bottom = WIDTH * share, depth
    hue = 20 + sum(name.encode()) % 35
    text = escape(shortened(name))[: max(0, int(width / 7))] if width > 30 else ""
    out.append((left, depth, width, f"hsl({hue},80%,{60 + sum(name.encode()) % 13}%)", text,
                f"{escape(name)}: {share:.1%}"))
    for inner, child in sorted(box.inner.items()):
        bottom = max(bottom, draw(child, inner, left, depth + 1, total, out))
        left += WIDTH * child.count / total
    return bottom


def main():
    root = Box()
    for stack in stacks(sys.stdin):
        root.add(stack)
    boxes = []
    deepest = draw(root, "all", 0.0, 0, root.count, boxes)
    height = (deepest + 3) * ROW
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="11">')
    print(f'<rect width="100%" height="100%" fill="#fff"/><text x="6" y="14">{escape(sys.argv[1])}, {root.count} samples</text>')
    for left, depth, width, colour, text, title in boxes:
        top = height - (depth + 1) * ROW
        print(f'<g><title>{title}</title><rect x="{left:.1f}" y="{top}" width="{max(width - 0.4, 0.3):.1f}" height="{ROW - 1}" '
              f'fill="{colour}"/><text x="{left + 3:.1f}" y="{top + 12}">{text}</text></g>')
    print("</svg>")


if __name__ == "__main__":
    main()
