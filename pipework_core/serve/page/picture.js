"use strict";
/* The picture: a group for each interface of the host, with the guests whose first link is on it beside it. */

/** Return the graph with only those guests and interfaces that have the text somewhere. */
function filterGraph(graph, text) {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return graph;
  const has = (value) => JSON.stringify(value).toLowerCase().includes(wanted);
  const matching = new Set(graph.nodes.filter((node) => has([nameNode(node), node.kind, node.addresses, node.detail])).map((node) => node.id));
  const links = graph.links.filter((link) => has(link) || matching.has(link.to));
  const shown = new Set([...links.flatMap((link) => [link.from, link.to]), ...matching]);
  return { ...graph, nodes: graph.nodes.filter((node) => shown.has(node.id)), links };
}

/** Draw all of a graph, and put the focus back on what had it. */
function drawPicture(graph) {
  const focused = document.activeElement?.closest?.("#groups")
    ? { kind: document.activeElement.dataset.kind, id: document.activeElement.dataset.id }
    : null;
  const groups = groupNodes(graph).map((group) => makeGroup(group, graph));
  const note = graph.nodes.some((node) => node.side === "guest") ? null : explainEmptiness(graph);
  document.getElementById("groups").replaceChildren(...groups, ...(note ? [makeElement("p", "note", note)] : []));
  if (focused) findChoice(focused.kind, focused.id)?.focus({ preventScroll: true });
}

function explainEmptiness(graph) {
  return graph.filtered ? "No guest has this text." : "Nothing is attached to any guest.";
}

/** Return the button in the picture that stands for a node or a link. */
function findChoice(kind, id) {
  const found = document.querySelectorAll(`#groups [data-kind="${kind}"]`);
  return [...found].find((button) => button.dataset.id === id);
}

/** Return a group for each interface of the host in the order of the graph; guests keep their order, too. */
function groupNodes(graph) {
  const hosts = graph.nodes.filter((node) => node.side === "host");
  const place = new Map(hosts.map((node, number) => [node.id, number]));
  const groups = hosts.map((host) => ({ host, guests: [] }));
  for (const guest of graph.nodes.filter((node) => node.side === "guest")) {
    const places = graph.links.filter((link) => link.to === guest.id && place.has(link.from)).map((link) => place.get(link.from));
    if (places.length) groups[Math.min(...places)].guests.push(guest);
  }
  return groups;
}

function makeGroup({ host, guests }, graph) {
  const node = makeChoice("node", host.id, `node is-${host.state}`, makeElement("span", "name", host.name), makeElement("span", "more", describeNode(host)));
  node.style.setProperty("--depth", Math.min(host.depth, 6));
  const cards = makeElement("ul", "guests");
  for (const guest of guests) cards.append(makeGuest(guest, graph));
  return makeElement("div", `group${guests.length ? "" : " empty"}`, makeElement("div", "hosts", node), cards);
}

function makeGuest(guest, graph) {
  const card = makeElement("li", "guest");
  card.append(makeChoice("node", guest.id, "title", makeElement("span", "name", nameNode(guest)), guest.kind === "gone" && makeElement("span", "more", "gone")));
  for (const link of graph.links) if (link.to === guest.id) card.append(makeRow(link, graph));
  return card;
}

/** Make the row of a link: where it leads is seen in a narrow window only, and always heard. */
function makeRow(link, graph) {
  const host = graph.nodes.find((node) => node.id === link.from);
  const row = makeChoice("link", link.id, `row is-${link.state}`,
    makeElement("span", "interface", link.interface || "no interface"),
    makeElement("span", "addresses", shortenAddresses(link.addresses).join("  ") || "no address"),
    makeElement("span", "state", link.state),
    makeElement("span", "more", makeElement("span", "on", `on ${host ? host.name : "?"}`), ...describeLink(link)));
  row.title = showText(link.words);
  return row;
}

/** Fill the list of what somebody has to do something about. */
function drawAttention(graph) {
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const links = graph.links.filter((link) => PROBLEMS.includes(link.state)).sort((a, b) => PROBLEMS.indexOf(a.state) - PROBLEMS.indexOf(b.state));
  const items = links.map((link) => {
    const guest = nodes.get(link.to);
    const text = [guest ? nameNode(guest) : "", link.interface].filter(Boolean).join("  ");
    return makeElement("li", `is-${link.state}`, makeChoice("link", link.id, "problem",
      makeElement("span", "state", link.state), makeElement("span", "name", text), makeElement("span", "more", link.words)));
  });
  for (const node of graph.nodes.filter((one) => one.state === "missing" && one.side === "host")) {
    items.push(makeElement("li", "is-missing", makeChoice("node", node.id, "problem",
      makeElement("span", "state", "missing"), makeElement("span", "name", node.name), makeElement("span", "more", "attachments name it, and the host does not have it"))));
  }
  for (const warning of graph.warnings) items.push(makeElement("li", "warning", makeElement("span", "more", warning)));
  const section = document.getElementById("attention");
  section.hidden = !items.length;
  section.querySelector("ul").replaceChildren(...items);
}

/** Write how much there is of everything. */
function drawSummary(graph) {
  const guests = graph.nodes.filter((node) => node.side === "guest" && node.kind !== "host").length;
  const count = graph.links.filter((link) => link.interface).length;
  document.getElementById("summary").textContent = `${guests} ${guests === 1 ? "guest" : "guests"}, ${count} ${count === 1 ? "attachment" : "attachments"}`;
}
