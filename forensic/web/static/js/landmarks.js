// Landmark editor: five points on a sketch, moved by pointer or arrow keys. The truth is in the
// form's ten number fields, which work by themselves; the points only show and change them.

const ZOOMS = [1, 1.5, 2, 3, 4, 6];
const LOUPE_ZOOM = 3;

function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}

class Editor {
  constructor(form) {
    this.form = form;
    this.view = form.querySelector(".view");
    this.stage = form.querySelector(".stage");
    this.image = form.querySelector(".stage img");
    this.width = Number(form.dataset.width);
    this.height = Number(form.dataset.height);
    this.zoom = 0;
    this.points = [...form.querySelectorAll(".point")].map((handle, index) => {
      const x = form.elements[`x${index}`];
      const y = form.elements[`y${index}`];
      return { handle, x, y, name: handle.dataset.name, first: [x.value, y.value] };
    });
    this.points.forEach((point) => this.open(point));
    form.querySelector("[data-do=in]").addEventListener("click", () => this.scale(this.zoom + 1));
    form.querySelector("[data-do=out]").addEventListener("click", () => this.scale(this.zoom - 1));
    form.querySelector("[data-do=reset]").addEventListener("click", () => this.reset());
    form.querySelector(".toolbar").hidden = false;
    this.scale(0);
    addEventListener("resize", () => this.scale(this.zoom));
  }

  open(point) {
    const { handle } = point;
    handle.hidden = false;
    this.show(point);
    handle.addEventListener("pointerdown", (event) => this.grab(event, point));
    handle.addEventListener("keydown", (event) => this.step(event, point));
    for (const field of [point.x, point.y]) field.addEventListener("input", () => this.show(point));
  }

  /** Put a handle where its fields say. */
  show(point) {
    const [x, y] = [Number(point.x.value), Number(point.y.value)];
    point.handle.style.left = `${(100 * x) / this.width}%`;
    point.handle.style.top = `${(100 * y) / this.height}%`;
    point.handle.setAttribute("aria-label", `${point.name}: x ${x}, y ${y}. Arrow keys move it.`);
    const moved = point.x.value !== point.first[0] || point.y.value !== point.first[1];
    point.handle.classList.toggle("moved", moved);
    const any = this.points.some((p) => p.handle.classList.contains("moved"));
    this.form.querySelector("[data-do=save]").disabled = !any;
  }

  move(point, x, y) {
    point.x.value = clamp(x, this.width - 1).toFixed(1);
    point.y.value = clamp(y, this.height - 1).toFixed(1);
    this.show(point);
  }

  grab(event, point) {
    event.preventDefault();
    point.handle.focus();
    point.handle.setPointerCapture(event.pointerId);
    const box = this.stage.getBoundingClientRect();
    const scale = this.width / box.width;
    // The point keeps its place under the finger instead of jumping to it.
    const [dx, dy] = [
      Number(point.x.value) - (event.clientX - box.left) * scale,
      Number(point.y.value) - (event.clientY - box.top) * scale,
    ];
    const loupe = this.openLoupe(box);
    const drag = (now) => {
      const here = this.stage.getBoundingClientRect();
      this.move(point, (now.clientX - here.left) * scale + dx, (now.clientY - here.top) * scale + dy);
      loupe.look(point);
    };
    const drop = () => {
      loupe.close();
      point.handle.removeEventListener("pointermove", drag);
    };
    loupe.look(point);
    point.handle.addEventListener("pointermove", drag);
    point.handle.addEventListener("pointerup", drop, { once: true });
    point.handle.addEventListener("pointercancel", drop, { once: true });
  }

  /** A magnifier, in the corner that the point is farthest from. */
  openLoupe(box) {
    const glass = document.createElement("div");
    glass.className = "loupe";
    glass.setAttribute("aria-hidden", "true");
    glass.style.backgroundImage = `url("${this.image.currentSrc || this.image.src}")`;
    const scale = Math.max((box.width / this.width) * LOUPE_ZOOM, 2);
    glass.style.backgroundSize = `${this.width * scale}px ${this.height * scale}px`;
    this.form.querySelector(".frame").append(glass);
    return {
      look: (point) => {
        const [x, y] = [Number(point.x.value), Number(point.y.value)];
        const half = glass.offsetWidth / 2;
        glass.style.backgroundPosition = `${half - x * scale}px ${half - y * scale}px`;
        glass.style.top = ".5rem";
        glass.style[x < this.width / 2 ? "right" : "left"] = ".5rem";
        glass.style[x < this.width / 2 ? "left" : "right"] = "auto";
      },
      close: () => glass.remove(),
    };
  }

  step(event, point) {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const way = ways[event.key];
    if (!way) return;
    event.preventDefault();
    const size = event.shiftKey ? 10 : event.altKey ? 0.5 : 1;
    this.move(point, Number(point.x.value) + way[0] * size, Number(point.y.value) + way[1] * size);
  }

  scale(zoom) {
    this.zoom = clamp(zoom, ZOOMS.length - 1);
    // At 100 % the whole sketch is seen: no point lies beyond the edge.
    const most = parseFloat(getComputedStyle(this.view).maxHeight) || Infinity;
    const whole = Math.min(this.view.clientWidth, (most * this.width) / this.height);
    this.stage.style.width = `${Math.round(whole * ZOOMS[this.zoom])}px`;
    this.form.querySelector("[data-zoom]").textContent = `${Math.round(100 * ZOOMS[this.zoom])} %`;
    const eyes = this.points.slice(0, 2);
    const x = eyes.reduce((sum, p) => sum + Number(p.x.value), 0) / 2 / this.width;
    const y = Number(this.points[2].y.value) / this.height;
    this.view.scrollLeft = x * this.stage.offsetWidth - this.view.clientWidth / 2;
    this.view.scrollTop = y * this.stage.offsetHeight - this.view.clientHeight / 2;
  }

  reset() {
    for (const point of this.points) {
      [point.x.value, point.y.value] = point.first;
      this.show(point);
    }
  }
}

document.querySelectorAll("form.landmarks").forEach((form) => new Editor(form));
