// Drawing board: pencil and eraser by pen, finger or mouse, on layers over a faded template.

import { Preview } from "./preview.js";
import { Drawing, SIZE } from "./strokes.js";

const NO_PRESSURE = 0.6; // what a mouse or a plain finger draws with
const KEY_STEP = 6;

const board = document.querySelector("[data-board]");
const ink = board.querySelector("canvas.ink");
const context = ink.getContext("2d");
const tools = board.querySelector(".tools");
const drawing = new Drawing();
const preview = new Preview(board.querySelector(".live"), () => drawing.png());
const form = board.querySelector("form[data-save]");

let under = null; // the stroke under way
let isSaved = true;
const brush = () => {
  const erase = tools.querySelector("[name=tool]:checked").value === "eraser";
  const width = Number(tools.querySelector("[name=width]").value);
  const tone = 255 - Math.round(Number(tools.querySelector("[name=tone]").value) * 2.55);
  return { kind: "stroke", erase, width: erase ? width * 3 : width, tone, layer: drawing.active };
};

function paint() {
  drawing.compose(context, under);
}

/** A pointer's place on the paper; pressure softened, so that a light pen still marks. */
function place(event) {
  const box = ink.getBoundingClientRect();
  const pressure = event.pointerType === "pen" ? 0.15 + 0.85 * Math.sqrt(event.pressure) : NO_PRESSURE;
  return [((event.clientX - box.left) * SIZE) / box.width, ((event.clientY - box.top) * SIZE) / box.height, pressure];
}

let penSeen = 0;
ink.addEventListener("pointerdown", (event) => {
  // A palm that rests on the screen beside a pen draws nothing.
  if (event.pointerType === "pen") penSeen = event.timeStamp;
  else if (event.pointerType === "touch" && event.timeStamp - penSeen < 3000 && penSeen) return;
  if (under || event.button > 0 || !drawing.active.visible) return;
  event.preventDefault();
  ink.focus({ preventScroll: true });
  ink.setPointerCapture(event.pointerId);
  const isRubber = event.pointerType === "pen" && event.buttons & 32;
  under = { ...brush(), points: [place(event)], pointer: event.pointerId };
  if (isRubber) under.erase = true;
  paint();
});
ink.addEventListener("pointermove", (event) => {
  if (under?.pointer !== event.pointerId) return;
  const moves = event.getCoalescedEvents?.() ?? [];
  under.points.push(...(moves.length ? moves : [event]).map(place));
  requestAnimationFrame(paint);
});
for (const name of ["pointerup", "pointercancel"]) {
  ink.addEventListener(name, (event) => {
    if (under?.pointer !== event.pointerId) return;
    const { pointer, ...act } = under;
    under = null;
    if (name === "pointerup") drawing.act(act);
    else paint();
  });
}

// The board can be drawn on by keyboard: a cursor that arrows move, and Space puts down.
const cursor = { x: SIZE / 2, y: SIZE / 2, down: false };
const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
ink.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " ") {
    event.preventDefault();
    cursor.down = !cursor.down;
    if (cursor.down) under = { ...brush(), points: [[cursor.x, cursor.y, NO_PRESSURE]], pointer: "keys" };
    else if (under?.pointer === "keys") endKeyStroke();
    paint();
    mark();
  } else if (ways[event.key]) {
    event.preventDefault();
    const step = event.shiftKey ? 1 : KEY_STEP;
    cursor.x = Math.min(Math.max(cursor.x + ways[event.key][0] * step, 0), SIZE);
    cursor.y = Math.min(Math.max(cursor.y + ways[event.key][1] * step, 0), SIZE);
    if (cursor.down && under) under.points.push([cursor.x, cursor.y, NO_PRESSURE]);
    paint();
    mark();
  }
});
ink.addEventListener("blur", () => {
  cursor.down = false;
  if (under?.pointer === "keys") endKeyStroke();
  paint();
});

function endKeyStroke() {
  const { pointer, ...act } = under;
  under = null;
  drawing.act(act);
}

function mark() {
  context.save();
  context.strokeStyle = cursor.down ? "#b3151a" : "#0b5a88";
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(cursor.x, cursor.y, 7, 0, 2 * Math.PI);
  context.stroke();
  context.restore();
}

/** The list of layers, newest above. */
function listLayers() {
  const list = tools.querySelector(".layers");
  list.replaceChildren(
    ...drawing.layers.toReversed().map((layer) => {
      const item = document.createElement("li");
      const see = button(layer.visible ? "●" : "○", `${layer.visible ? "Hide" : "Show"} ${layer.name}`);
      see.className = "see";
      see.setAttribute("aria-pressed", String(layer.visible));
      see.addEventListener("click", () => drawing.show(layer, !layer.visible));
      const pick = button(layer.name, `Draw on ${layer.name}`);
      pick.className = "pick";
      pick.setAttribute("aria-pressed", String(layer === drawing.active));
      pick.addEventListener("click", () => drawing.pick(layer));
      item.append(see, pick);
      return item;
    }),
  );
}

function button(text, label) {
  const one = document.createElement("button");
  one.type = "button";
  one.textContent = text;
  one.setAttribute("aria-label", label);
  return one;
}

const doing = {
  undo: () => drawing.undo(),
  redo: () => drawing.redo(),
  clear: () => drawing.act({ kind: "clear", layer: drawing.active }),
  layer: () => drawing.layers.length < 6 && drawing.addLayer(`Layer ${drawing.layers.length + 1}`),
};
tools.addEventListener("click", (event) => {
  const name = event.target.closest("[data-do]")?.dataset.do;
  if (name) doing[name]();
});
tools.querySelector("[name=template]").addEventListener("input", (event) => {
  board.querySelector(".template").style.opacity = String(event.target.value / 100);
});
tools.querySelector("[name=live]").addEventListener("change", (event) => {
  preview.isOn = event.target.checked;
  preview.change();
});
addEventListener("keydown", (event) => {
  if (event.target.matches("input:not([type=range], [type=radio], [type=checkbox]), textarea")) return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y")) {
    event.preventDefault();
    if (key === "y" || event.shiftKey) drawing.redo();
    else drawing.undo();
  } else if (!event.ctrlKey && !event.metaKey && (key === "b" || key === "e")) {
    tools.querySelector(`[name=tool][value=${key === "b" ? "pencil" : "eraser"}]`).checked = true;
  }
});

drawing.listeners.add(() => {
  tools.querySelector("[data-do=undo]").disabled = drawing.done.length === 0;
  tools.querySelector("[data-do=redo]").disabled = drawing.undone.length === 0;
  if (form) form.querySelector("[type=submit]").disabled = drawing.isEmpty;
  isSaved = drawing.isEmpty;
  listLayers();
  paint();
  if (!drawing.isEmpty) preview.change();
});

form?.addEventListener("submit", async (event) => {
  const input = form.elements.sketch;
  if (input.files.length) return; // the second time, with the drawing in it
  event.preventDefault();
  const file = new File([await drawing.png()], "drawing.png", { type: "image/png" });
  const given = new DataTransfer();
  given.items.add(file);
  input.files = given.files;
  isSaved = true;
  delete form.dataset.sent;
  form.requestSubmit();
});
addEventListener("beforeunload", (event) => {
  if (!isSaved) event.preventDefault();
});

ink.width = SIZE;
ink.height = SIZE;
board.hidden = false;
drawing.tell();
