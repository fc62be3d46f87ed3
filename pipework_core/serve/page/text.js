"use strict";
/* Text and elements. Every name comes from a guest's root or a stranger's server: all text goes through `showText`,
   and becomes a text node, never markup. */

/** Return a text in which whatever cannot be seen is written as its number, as `ls` does. */
function showText(value) {
  return String(value).replace(/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (char) => {
    const code = char.codePointAt(0).toString(16);
    if (char in SHORT) return SHORT[char];
    if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
    return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
  });
}

const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Make an element with a class and children; what is a string becomes text. */
function makeElement(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const child of children) {
    if (child instanceof Node) element.append(child);
    else if (child !== null && child !== undefined && child !== "" && child !== false) element.append(showText(child));
  }
  return element;
}

/** Make a button that stands for a node or a link of the graph. */
function makeChoice(kind, id, className, ...children) {
  const button = makeElement("button", className, ...children);
  button.type = "button";
  button.dataset.kind = kind;
  button.dataset.id = id;
  return button;
}

/** States that somebody has to do something about, the worst first. */
const PROBLEMS = ["orphan", "unfinished", "expired", "elsewhere", "missing"];

/** Return the name of a node, of a guest with its runtime as commands take it. */
function nameNode(node) {
  const plain = node.side === "host" || ["host", "guest", "gone"].includes(node.kind);
  return plain ? node.name : `${node.kind}:${node.name}`;
}

const KIND_WORDS = new Map([["nic", "NIC"], ["ovs", "Open vSwitch"], ["ovn", "logical switch"], ["vlan", "VLAN"], ["vxlan", "VXLAN"]]);

/** Of the addresses of one interface, which can be thousands, so many stand in the picture. */
const ADDRESSES_SHOWN = 6;

/** Return the first of some addresses, and how many more there are; the panel has all. */
function shortenAddresses(addresses) {
  const more = addresses.length - ADDRESSES_SHOWN;
  return more > 0 ? [...addresses.slice(0, ADDRESSES_SHOWN), `and ${more} more`] : addresses;
}

/** Return what stands below the name of a node. */
function describeNode(node) {
  if (node.side === "host") {
    const state = node.state === "unknown" ? "" : node.state;
    return [KIND_WORDS.get(node.kind) || node.kind, state, ...shortenAddresses(node.addresses)].filter(Boolean).join(", ");
  }
  return node.kind === "gone" ? "gone" : "guest";
}

/** Return kind, MAC and VLAN of a link, each in an element that is not broken into lines. */
function describeLink(link) {
  const words = [link.kind, link.mac, link.vlan && `VLAN ${link.vlan}`].filter(Boolean);
  return words.map((word) => makeElement("span", "word", word));
}
