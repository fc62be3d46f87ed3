"use strict";
/* The lines between the two sides. They follow the elements that they join, wherever the window's width puts these.
   From each interface of the host one trunk leads to all of its guests, as a bus; each link branches off it. */

const SVG = "http://www.w3.org/2000/svg";
/** Of the space between the sides: where trunks begin, the space for them, and how many are told apart by place. */
const FIRST_TRUNK = 0.2, TRUNKS = 0.55, PLACES = 7;

/** Draw a line for each link of which both ends are in the picture. */
function drawLines(graph) {
  const lines = document.getElementById("lines");
  const frame = document.getElementById("picture").getBoundingClientRect();
  const boxes = measureBoxes(frame);
  const trunks = new Map();
  const made = { hits: [], trunks: [], branches: [] };
  for (const link of graph.links) {
    const start = boxes.get(`node ${link.from}`);
    const row = boxes.get(`link ${link.id}`);
    const upper = boxes.get(`node ${link.to}`);
    if (start && row) {
      const trunk = trunks.get(link.from) || startTrunk(start, row, trunks.size);
      trunks.set(link.from, trunk);
      trunk.ys.push(row.middle);
      made.hits.push(makeHit(link, `M${start.right} ${start.middle}H${trunk.x}V${row.middle}H${row.left}`));
      made.branches.push(makePath(`link is-${link.state}`, `M${trunk.x} ${row.middle}H${row.left}`));
    } else if (start && upper && !link.interface) {
      const path = `M${start.left + 8} ${start.bottom}V${upper.middle}H${upper.left}`;
      made.hits.push(makeHit(link, path));
      made.branches.push(makePath(`link is-${link.state}`, path));
    }
  }
  for (const { x, from, ys } of trunks.values()) {
    const all = [from.middle, ...ys];
    made.trunks.push(makePath("trunk", `M${from.right} ${from.middle}H${x}M${x} ${Math.min(...all)}V${Math.max(...all)}`));
  }
  lines.setAttribute("width", frame.width);
  lines.setAttribute("height", frame.height);
  lines.replaceChildren(...made.trunks, ...made.branches, ...made.hits);
}

/** Return where each button of the picture is, in the coordinates of the picture. */
function measureBoxes(frame) {
  return new Map([...document.querySelectorAll("#groups [data-id]")].map((button) => {
    const box = button.getBoundingClientRect();
    const place = { left: box.left - frame.left, right: box.right - frame.left, bottom: box.bottom - frame.top };
    return [`${button.dataset.kind} ${button.dataset.id}`, { ...place, middle: box.top + box.height / 2 - frame.top }];
  }));
}

function startTrunk(start, row, number) {
  const share = FIRST_TRUNK + (TRUNKS * (number % PLACES)) / (PLACES - 1);
  return { x: Math.round(start.right + (row.left - start.right) * share), from: start, ys: [] };
}

function makePath(className, path) {
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("class", className);
  line.setAttribute("d", path);
  return line;
}

/** Return the whole way of a link: broad, seen when it is chosen, and met by a mouse at any time. */
function makeHit(link, path) {
  const line = makePath(`hit is-${link.state}`, path);
  line.dataset.kind = "link";
  line.dataset.id = link.id;
  line.dataset.ends = JSON.stringify([link.from, link.to]);
  return line;
}
