"use strict";
/* The panel beside the picture: all that is known of one node or link. */

const panel = { kind: "", id: "", opener: null };

/** Show a node or a link; the focus goes to the panel's title when somebody asked for it. */
function openPanel(kind, id, graph) {
  panel.kind = kind;
  panel.id = id;
  panel.opener = document.activeElement;
  document.getElementById("panel").hidden = false;
  drawPanel(graph);
  document.getElementById("panel-title").focus();
}

/** Close the panel; the focus returns to where it was. */
function closePanel() {
  const { kind, id, opener } = panel;
  if (!id) return;
  Object.assign(panel, { kind: "", id: "", opener: null });
  document.getElementById("panel").hidden = true;
  const back = opener?.isConnected && opener !== document.body ? opener : findChoice(kind, id);
  back?.focus({ preventScroll: true });
  markSelected();
}

/** Fill the panel from a graph. What is gone from it says so: it closes for nobody who reads it. */
function drawPanel(graph) {
  if (!panel.id) return;
  const list = panel.kind === "node" ? graph.nodes : graph.links;
  const found = list.find((one) => one.id === panel.id);
  const title = document.getElementById("panel-title");
  const facts = document.getElementById("facts");
  markSelected();
  if (!found) {
    facts.replaceChildren(makeElement("p", "note", "It is gone."));
    return;
  }
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  if (panel.kind === "node") {
    title.textContent = showText(nameNode(found));
    facts.replaceChildren(makeState(found.state, ""), makeFacts(found.detail), makeLinkList(found, graph, nodes));
    return;
  }
  const guest = nodes.get(found.to);
  title.textContent = showText([guest ? nameNode(guest) : "", found.interface].filter(Boolean).join("  "));
  facts.replaceChildren(makeState(found.state, found.words), makeFacts(found.detail));
}

/** Mark what is shown, and the lines that belong to it. */
function markSelected() {
  document.body.classList.toggle("has-panel", Boolean(panel.id));
  for (const element of document.querySelectorAll("#picture [data-id]")) {
    const ends = panel.kind === "node" && element.dataset.ends ? JSON.parse(element.dataset.ends) : [];
    const isIt = (element.dataset.kind === panel.kind && element.dataset.id === panel.id) || ends.includes(panel.id);
    element.classList.toggle("selected", isIt);
    if (element instanceof HTMLButtonElement) element.setAttribute("aria-pressed", String(isIt));
  }
}

function makeState(state, words) {
  return makeElement("p", `verdict is-${state}`, makeElement("span", "state", state), words && makeElement("span", "more", words));
}

/** Make a list of names and values of a document, whatever it has. */
function makeFacts(detail) {
  const list = makeElement("dl", "");
  for (const [key, value] of Object.entries(detail)) {
    list.append(makeElement("dt", "", key.replaceAll("_", " ")), makeElement("dd", "", formatValue(value)));
  }
  return list;
}

function formatValue(value) {
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return makeElement("span", "none", "none");
  if (value === true || value === false) return value ? "yes" : "no";
  if (Array.isArray(value)) return makeElement("span", "", ...value.map((one) => makeElement("span", "line", formatValue(one))));
  if (typeof value === "object") return Object.keys(value).length ? makeFacts(value) : makeElement("span", "none", "none");
  return value;
}

/** Make buttons for the links of a node. */
function makeLinkList(node, graph, nodes) {
  const links = graph.links.filter((link) => link.from === node.id || link.to === node.id);
  const list = makeElement("ul", "links");
  for (const link of links) {
    const other = nodes.get(link.from === node.id ? link.to : link.from);
    list.append(makeElement("li", `is-${link.state}`, makeChoice("link", link.id, "problem",
      makeElement("span", "state", link.state), makeElement("span", "name", [other ? nameNode(other) : "", link.interface].filter(Boolean).join("  ")),
      makeElement("span", "more", shortenAddresses(link.addresses).join("  ")))));
  }
  return links.length ? makeElement("div", "", makeElement("h3", "", "Links"), list) : makeElement("p", "note", "Nothing is attached to it.");
}
