"use strict";
/* The lines between the two sides. They follow the elements that they join, wherever the window's width puts these. */

const SVG = "http://www.w3.org/2000/svg";

/** Draw a line for each link of which both ends are in the picture. */
function drawLines(graph) {
  const lines = document.getElementById("lines");
  const frame = document.getElementById("picture").getBoundingClientRect();
  const boxes = new Map([...document.querySelectorAll("#groups [data-id]")].map((one) => [`${one.dataset.kind} ${one.dataset.id}`, one.getBoundingClientRect()]));
  const made = [];
  for (const link of graph.links) {
    const start = boxes.get(`node ${link.from}`);
    const row = boxes.get(`link ${link.id}`);
    const upper = boxes.get(`node ${link.to}`);
    if (start && row) made.push(...makeLine(link, curve(start, row, frame)));
    else if (start && upper && !link.interface) made.push(...makeLine(link, elbow(start, upper, frame)));
  }
  lines.setAttribute("width", frame.width);
  lines.setAttribute("height", frame.height);
  lines.replaceChildren(...made);
}

/** Return the path from the right edge of an interface of the host to the left edge of a guest's row. */
function curve(start, row, frame) {
  const x1 = start.right - frame.left, y1 = start.top + start.height / 2 - frame.top;
  const x2 = row.left - frame.left, y2 = row.top + row.height / 2 - frame.top;
  const bend = (x1 + x2) / 2;
  return `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`;
}

/** Return the path from below an interface of the host to the left edge of one that lies on it. */
function elbow(lower, upper, frame) {
  const x = lower.left + 8 - frame.left;
  return `M${x} ${lower.bottom - frame.top}V${upper.top + upper.height / 2 - frame.top}H${upper.left - frame.left}`;
}

/** Return a line, and a broad one that nobody sees and a mouse meets. */
function makeLine(link, path) {
  return ["hit", `link ${classOfState(link.state)}`].map((className) => {
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("class", className);
    line.setAttribute("d", path);
    line.dataset.kind = "link";
    line.dataset.id = link.id;
    line.dataset.ends = JSON.stringify([link.from, link.to]);
    return line;
  });
}
