// What many pages share: progress of jobs, drop areas, questions before what cannot be undone.
// Each page works without it: forms post, links lead on, and progress shows when reloaded.

const POLL_FIRST_MS = 400;
const POLL_MOST_MS = 4000;

/** Follow one job until it has ended, then show what it led to. */
async function follow(box) {
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-words]");
  let wait = POLL_FIRST_MS;
  for (;;) {
    await new Promise((resume) => setTimeout(resume, wait));
    wait = Math.min(wait * 1.4, POLL_MOST_MS);
    let job;
    try {
      const answer = await fetch(box.dataset.job, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      job = await answer.json();
    } catch {
      words.textContent = "The server does not answer; trying again.";
      continue;
    }
    words.textContent = job.words;
    if (job.total > 0) {
      bar.max = job.total;
      bar.value = job.done;
    } else {
      bar.removeAttribute("value");
    }
    if (job.ended) {
      if (box.dataset.then === "reload") location.reload();
      else location.assign(box.dataset.then);
      return;
    }
  }
}

/** Let files be dropped or pasted onto a labelled file input, and say what was chosen. */
function openDrop(area) {
  const input = area.querySelector("input[type=file]");
  const words = area.querySelector("[data-words]");
  const most = Number(area.dataset.mostBytes);
  let shown = null;

  const tell = () => {
    const [file] = input.files;
    if (shown) {
      URL.revokeObjectURL(shown.src);
      shown.remove();
      shown = null;
    }
    input.setCustomValidity("");
    if (!file) return;
    const size = file.size < 1e6 ? `${Math.ceil(file.size / 1e3)} kB` : `${(file.size / 1e6).toFixed(1)} MB`;
    words.textContent = `${file.name}, ${size}`;
    if (most && file.size > most) {
      input.setCustomValidity(`This file is larger than the ${Math.floor(most / 2 ** 20)} MB accepted.`);
      input.reportValidity();
    } else if (/^image\/(png|jpeg|webp)$/.test(file.type)) {
      shown = document.createElement("img");
      shown.alt = "The chosen picture";
      shown.src = URL.createObjectURL(file);
      area.append(shown);
    }
  };
  const take = (event, files) => {
    if (!files.length) return;
    event.preventDefault();
    const one = new DataTransfer();
    one.items.add(files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  input.addEventListener("change", tell);
  for (const name of ["dragenter", "dragover"]) {
    area.addEventListener(name, (event) => {
      event.preventDefault();
      area.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    area.addEventListener(name, () => area.classList.remove("over"));
  }
  area.addEventListener("drop", (event) => take(event, event.dataTransfer.files));
  document.addEventListener("paste", (event) => take(event, event.clipboardData.files));
}

/** Ask before a form is sent whose effect cannot be undone, and send no form twice. */
function guard(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    if (form.method !== "post" || form.dataset.sent) {
      if (form.dataset.sent) event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
  });
}

/** Let the keyboard scroll a table that is wider than the screen, and only then stop there. */
const widths = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

document.querySelectorAll(".wide").forEach((box) => widths.observe(box));
document.querySelectorAll("[data-job]").forEach(follow);
document.querySelectorAll("[data-drop]").forEach(openDrop);
document.querySelectorAll("form").forEach(guard);
// A page taken back from the browser's memory may be sent again.
addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
});
