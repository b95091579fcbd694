// A drawing as what was done to it: strokes, erasures, clearings, on layers. No page, no events.
// Undo takes the last act back and draws the layer again from those that remain.

export const SIZE = 512;

/** One stroke: points are [x, y, pressure] in pixels of the paper. */
export function stroke(context, { points, width, tone, erase }) {
  context.save();
  context.globalCompositeOperation = erase ? "destination-out" : "source-over";
  context.lineCap = "round";
  context.lineJoin = "round";
  context.strokeStyle = `rgb(${tone} ${tone} ${tone})`;
  context.fillStyle = context.strokeStyle;
  if (points.length === 1) {
    const [x, y, pressure] = points[0];
    context.beginPath();
    context.arc(x, y, Math.max((width * pressure) / 2, 0.4), 0, 2 * Math.PI);
    context.fill();
  }
  for (let i = 1; i < points.length; i += 1) segment(context, points, i, width);
  context.restore();
}

/** From the middle before point i-1 to the middle after it, curved through it. */
function segment(context, points, i, width) {
  const [a, b] = [points[i - 1], points[i]];
  const before = points[i - 2] ?? a;
  const last = i === points.length - 1;
  context.lineWidth = Math.max((width * (a[2] + b[2])) / 2, 0.5);
  context.beginPath();
  context.moveTo((before[0] + a[0]) / 2, (before[1] + a[1]) / 2);
  context.quadraticCurveTo(a[0], a[1], (a[0] + b[0]) / 2, (a[1] + b[1]) / 2);
  if (last) context.lineTo(b[0], b[1]);
  context.stroke();
}

export class Drawing {
  constructor() {
    this.layers = [];
    this.done = [];
    this.undone = [];
    this.listeners = new Set();
    this.addLayer("Drawing");
  }

  addLayer(name) {
    const canvas = document.createElement("canvas");
    canvas.width = SIZE;
    canvas.height = SIZE;
    const layer = { id: (this.layers.at(-1)?.id ?? 0) + 1, name, visible: true, canvas };
    this.layers.push(layer);
    this.active = layer;
    this.tell();
    return layer;
  }

  /** Do one act for good: `{kind: "stroke" | "clear", layer, ...}`. */
  act(act) {
    this.done.push(act);
    this.undone.length = 0;
    this.apply(act);
    this.tell();
  }

  apply(act) {
    const context = act.layer.canvas.getContext("2d");
    if (act.kind === "clear") context.clearRect(0, 0, SIZE, SIZE);
    else stroke(context, act);
  }

  undo() {
    const act = this.done.pop();
    if (!act) return;
    this.undone.push(act);
    act.layer.canvas.getContext("2d").clearRect(0, 0, SIZE, SIZE);
    this.done.filter((one) => one.layer === act.layer).forEach((one) => this.apply(one));
    this.tell();
  }

  redo() {
    const act = this.undone.pop();
    if (!act) return;
    this.done.push(act);
    this.apply(act);
    this.tell();
  }

  show(layer, visible) {
    layer.visible = visible;
    this.tell();
  }

  pick(layer) {
    this.active = layer;
    this.tell();
  }

  get isEmpty() {
    return this.done.length === 0;
  }

  /** All visible layers, with the stroke under way on its own layer. */
  compose(context, under = null) {
    context.clearRect(0, 0, SIZE, SIZE);
    for (const layer of this.layers) {
      if (!layer.visible) continue;
      if (under?.layer === layer) {
        scratch.clearRect(0, 0, SIZE, SIZE);
        scratch.drawImage(layer.canvas, 0, 0);
        stroke(scratch, under);
        context.drawImage(scratch.canvas, 0, 0);
      } else {
        context.drawImage(layer.canvas, 0, 0);
      }
    }
  }

  /** The drawing on white paper, as a PNG. */
  png() {
    const canvas = document.createElement("canvas");
    canvas.width = SIZE;
    canvas.height = SIZE;
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIZE, SIZE);
    for (const layer of this.layers) if (layer.visible) context.drawImage(layer.canvas, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }

  tell() {
    this.listeners.forEach((listener) => listener());
  }
}

const scratch = (() => {
  const canvas = document.createElement("canvas");
  canvas.width = SIZE;
  canvas.height = SIZE;
  return canvas.getContext("2d");
})();
