// Comparison of sketch, rendition and candidate: the panes share zoom and position, are laid over
// each other by their landmarks, and the candidate can be flipped and faded over the sketch.

import { aligned, fitted } from "./geometry.js";

const MOST_ZOOM = 8;

function loaded(source) {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(`cannot load ${source}`));
    image.src = source;
  });
}

/** One pane: a canvas that draws its picture, and for the candidate the sketch over it. */
class Pane {
  constructor(figure) {
    this.glass = figure.querySelector(".glass");
    this.still = figure.querySelector("img");
    this.role = figure.dataset.role;
    this.points = JSON.parse(figure.dataset.points || "null");
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.still.alt);
  }

  async open() {
    this.image = await loaded(this.still.src);
    this.glass.append(this.canvas);
    this.still.hidden = true;
  }

  /** From pixels of the picture to pixels of the pane, before zoom. */
  place(width, height, isAligned) {
    if (isAligned && this.points) {
      const size = this.image.naturalWidth;
      return aligned(this.points.map(([x, y]) => [x * size, y * size]), width);
    }
    return fitted(this.image.naturalWidth, this.image.naturalHeight, width, height);
  }
}

export class Comparison {
  constructor(root) {
    this.root = root;
    this.panes = [...root.querySelectorAll(".pane[data-role]")].map((figure) => new Pane(figure));
    this.state = { zoom: 1, x: 0, y: 0, flip: false, over: 0, aligned: true };
  }

  async open() {
    const opened = await Promise.allSettled(this.panes.map((pane) => pane.open()));
    this.panes = this.panes.filter((_, i) => opened[i].status === "fulfilled");
    this.panes.forEach((pane) => this.watch(pane));
    new ResizeObserver(() => this.draw()).observe(this.root);
    this.draw();
  }

  pane(role) {
    return this.panes.find((pane) => pane.role === role);
  }

  set(changes) {
    Object.assign(this.state, changes);
    this.state.zoom = Math.min(Math.max(this.state.zoom, 1), MOST_ZOOM);
    const reach = (this.state.zoom - 1) / 2;
    this.state.x = Math.min(Math.max(this.state.x, -reach), reach);
    this.state.y = Math.min(Math.max(this.state.y, -reach), reach);
    this.draw();
    this.root.dispatchEvent(new CustomEvent("compare", { detail: this.state }));
  }

  zoom(factor) {
    this.set({ zoom: this.state.zoom * factor });
  }

  /** Drag moves all panes; wheel with Ctrl, and two fingers, zoom them. */
  watch({ glass }) {
    const fingers = new Map();
    glass.addEventListener("pointerdown", (event) => {
      glass.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      glass.classList.add("dragging");
    });
    glass.addEventListener("pointermove", (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const now = [event.clientX, event.clientY];
      if (fingers.size === 2) {
        const [other] = [...fingers].find(([id]) => id !== event.pointerId).slice(1);
        const far = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
        this.zoom(far(now) / far(before));
      } else {
        this.set({
          x: this.state.x + (now[0] - before[0]) / glass.clientWidth,
          y: this.state.y + (now[1] - before[1]) / glass.clientHeight,
        });
      }
      fingers.set(event.pointerId, now);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      glass.addEventListener(name, (event) => {
        fingers.delete(event.pointerId);
        glass.classList.remove("dragging");
      });
    }
    glass.addEventListener("dblclick", () => this.set({ zoom: this.state.zoom > 1 ? 1 : 2.5 }));
    glass.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY / 200));
      },
      { passive: false },
    );
  }

  draw() {
    for (const pane of this.panes) {
      const [width, height] = [pane.glass.clientWidth, pane.glass.clientHeight];
      const ratio = window.devicePixelRatio || 1;
      pane.canvas.width = Math.round(width * ratio);
      pane.canvas.height = Math.round(height * ratio);
      const context = pane.canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.scale(ratio, ratio);
      context.translate(width * (0.5 + this.state.x), height * (0.5 + this.state.y));
      context.scale(this.state.zoom, this.state.zoom);
      context.translate(-width / 2, -height / 2);
      this.paint(context, pane, width, height);
      const sketch = this.pane("sketch");
      if (pane.role === "candidate" && this.state.over > 0 && sketch) {
        context.globalAlpha = this.state.over;
        this.paint(context, sketch, width, height);
      }
    }
  }

  paint(context, pane, width, height) {
    const { a, b, tx, ty } = pane.place(width, height, this.state.aligned);
    context.save();
    if (pane.role === "candidate" && this.state.flip) {
      context.translate(width, 0);
      context.scale(-1, 1);
    }
    context.transform(a, b, -b, a, tx, ty);
    context.drawImage(pane.image, 0, 0);
    context.restore();
  }
}
