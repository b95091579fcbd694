// Review workbench: tools over the comparison, and the keyboard. The decision itself is a form.

import { Comparison } from "./compare.js";

const bench = document.querySelector("[data-bench]");
const form = document.querySelector("form[data-decision]");
const help = bench.querySelector("[data-help]");
const comparison = new Comparison(bench.querySelector(".panes"));

const toolbar = bench.querySelector(".toolbar");
const over = toolbar.querySelector("[name=over]");
const flip = toolbar.querySelector("[data-do=flip]");
const align = toolbar.querySelector("[data-do=align]");
const keysOn = help.querySelector("[name=keys]");

const actions = {
  in: () => comparison.zoom(1.25),
  out: () => comparison.zoom(0.8),
  fit: () => comparison.set({ zoom: 1, x: 0, y: 0 }),
  flip: () => comparison.set({ flip: !comparison.state.flip }),
  align: () => comparison.set({ aligned: !comparison.state.aligned }),
  overlay: () => comparison.set({ over: comparison.state.over > 0 ? 0 : 0.5 }),
  help: () => {
    help.open = !help.open;
    if (help.open) help.scrollIntoView({ block: "nearest" });
  },
  next: () => bench.querySelector("[rel=next]")?.click(),
  previous: () => bench.querySelector("[rel=prev]")?.click(),
  undecided: () => bench.querySelector("[data-undecided]")?.click(),
  note: () => form?.elements.note.focus(),
};

const keys = {
  "+": "in", "=": "in", "-": "out", 0: "fit", f: "flip", a: "align", o: "overlay", "?": "help",
  j: "next", k: "previous", u: "undecided", n: "note",
};
const verdicts = { 1: "potential_candidate", 2: "no_candidate", 3: "inconclusive" };

function choose(verdict) {
  const choice = form?.querySelector(`[name=verdict][value=${verdict}]`);
  if (choice) {
    choice.checked = true;
    choice.focus();
  }
}

toolbar.addEventListener("click", (event) => {
  const name = event.target.closest("[data-do]")?.dataset.do;
  if (name) actions[name]();
});
over.addEventListener("input", () => comparison.set({ over: Number(over.value) / 100 }));
comparison.root.addEventListener("compare", ({ detail }) => {
  over.value = Math.round(detail.over * 100);
  toolbar.querySelector("output").textContent = `${over.value} %`;
  flip.setAttribute("aria-pressed", String(detail.flip));
  align.setAttribute("aria-pressed", String(detail.aligned));
});

// Single keys can be turned off, for those whose speech or switch software sends them by chance.
keysOn.checked = localStorage.getItem("review-keys") !== "off";
keysOn.addEventListener("change", () => {
  localStorage.setItem("review-keys", keysOn.checked ? "on" : "off");
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.activeElement.blur();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  const typing = event.target.matches("textarea, input:not([type=radio], [type=checkbox], [type=range])");
  if (!keysOn.checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (verdicts[event.key]) {
    event.preventDefault();
    choose(verdicts[event.key]);
  } else if (keys[event.key]) {
    event.preventDefault();
    actions[keys[event.key]]();
  }
});

toolbar.hidden = false;
comparison.open();
