"use strict";
/* Puts the page together: the graph in the page itself, or the live one of the server. */

(() => {
  const embedded = document.getElementById("graph");
  const connection = document.getElementById("connection");
  let graph = { nodes: [], links: [], warnings: [] };
  let shown = graph;
  let text = "";
  let isPlanned = false;

  function draw() {
    const filter = document.getElementById("filter").value;
    shown = { ...filterGraph(graph, filter), filtered: Boolean(filter) };
    drawSummary(graph);
    drawAttention(graph);
    drawPicture(shown);
    drawPanel(graph);
    planLines();
  }

  /** Draw the lines with the next frame: scrolling and resizing move their ends. */
  function planLines() {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      document.documentElement.style.setProperty("--top", `${document.querySelector(".top").offsetHeight}px`);
      drawLines(shown);
      markSelected();
    });
  }

  /** Take a new graph; one that says the same changes nothing on the page. */
  function takeGraph(found) {
    const said = JSON.stringify(found);
    if (said === text) return;
    text = said;
    graph = { ...found, warnings: found.warnings || [] };
    draw();
  }

  function say(state, words) {
    connection.className = `connection ${state}`;
    connection.replaceChildren(makeElement("span", "", words));
    document.body.classList.toggle("stale", state === "lost");
  }

  function choose(event) {
    const choice = event.target.closest?.("[data-id]");
    if (choice) openPanel(choice.dataset.kind, choice.dataset.id, graph);
  }

  /** Up and down go from one button to the next, as in a list. */
  function moveFocus(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.closest("#groups, #attention")) return;
    const choices = [...document.querySelectorAll("#attention button, #groups button")];
    const next = choices[choices.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  document.addEventListener("click", choose);
  document.getElementById("close").addEventListener("click", closePanel);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closePanel();
    else if (event.key === "/" && event.target.tagName !== "INPUT") {
      event.preventDefault();
      document.getElementById("filter").focus();
    } else moveFocus(event);
  });
  document.getElementById("filter").addEventListener("input", draw);
  window.addEventListener("scroll", planLines, { passive: true });
  new ResizeObserver(planLines).observe(document.getElementById("picture"));

  if (embedded) {
    say("still", `a picture of ${embedded.dataset.when}`);
    takeGraph(JSON.parse(embedded.textContent));
    return;
  }
  const readGraph = makeReader(takeGraph, (reason) => say("lost", `the picture is old: ${reason}`));
  followEvents({
    onConnected() {
      say("live", "live");
      readGraph();
    },
    onLine(event) {
      if (!event) return;  // a sign of life
      logEvent(event);
      readGraph();
    },
    onLost(reason, pause) {
      say("lost", `not connected (${reason}); trying again ${pause < 1000 ? "now" : `in ${Math.round(pause / 1000)} s`}`);
    },
  });
})();
