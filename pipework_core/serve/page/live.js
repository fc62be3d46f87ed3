"use strict";
/* The host as it is now. An event says only that something happened: the graph is read again. */

/** Milliseconds: of silence until a connection counts as lost (the server writes every 15 s), and between attempts. */
const SILENCE = 40000, FIRST_PAUSE = 500, LONGEST_PAUSE = 15000, DEBOUNCE = 60;
const EVENTS_SHOWN = 50;
/** Events about the stream itself: what there is already, and where it begins. */
const OF_STREAM = ["ready", "present", "forgotten"];

/** Read events for ever. `onLine` gets each, and null for a sign of life; `onLost` why, and the pause before the next. */
async function followEvents({ onLine, onConnected, onLost }) {
  let pause = FIRST_PAUSE;
  let last = 0;
  for (;;) {
    try {
      const take = (event) => {
        last = event?.id || last;
        onLine(event);
      };
      await readEvents(last, take, () => {
        pause = FIRST_PAUSE;
        onConnected();
      });
    } catch (error) {
      onLost(error.name === "AbortError" ? "the server is silent" : error.message, pause);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/** Read one stream of events since one with a number, a JSON document a line. Its end is an error. */
async function readEvents(since, onLine, onConnected) {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), SILENCE);
  try {
    const answer = await fetch(`/v1/events?since=${since}`, { headers: { Accept: "application/x-ndjson" }, signal: abort.signal, cache: "no-store" });
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    onConnected();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the server ended the connection");
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE);
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) onLine(line.trim() ? JSON.parse(line) : null);
    }
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Return a function that reads the graph soon, and once more when it is asked again meanwhile. */
function makeReader(onGraph, onFailure) {
  let timer = 0, isReading = false, isWanted = false;
  async function read() {
    timer = 0;
    isReading = true;
    isWanted = false;
    try {
      const answer = await fetch("/v1/graph", { headers: { Accept: "application/json" }, cache: "no-store" });
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      onGraph(await answer.json());
    } catch (error) {
      onFailure(error.message);
    }
    isReading = false;
    if (isWanted) timer = setTimeout(read, DEBOUNCE);
  }
  return () => {
    isWanted = true;
    if (!timer && !isReading) timer = setTimeout(read, DEBOUNCE);
  };
}

/** Add an event to the list, the newest first. */
function logEvent(event) {
  if (OF_STREAM.includes(event.event)) return;
  const section = document.getElementById("log");
  const list = section.querySelector("ol");
  const time = makeElement("time", "", new Date(event.time * 1000).toLocaleTimeString());
  const whom = [event.guest, event.interface].filter(Boolean).join("  ");
  list.prepend(makeElement("li", "", time, makeElement("span", "event", event.event), makeElement("span", "name", whom), makeElement("span", "more", event.text)));
  while (list.children.length > EVENTS_SHOWN) list.lastChild.remove();
  section.hidden = false;
}
