// The face synthesized from a drawing as it grows: one question at a time, always the newest.

const QUIET_MS = 300;

export class Preview {
  /**
   * @param {HTMLElement} box holds the picture and the line of state; `data-url` answers PNG with PNG
   * @param {() => Promise<Blob>} draw gives the drawing of this moment
   */
  constructor(box, draw) {
    this.picture = box.querySelector("img");
    this.state = box.querySelector(".state");
    this.url = box.dataset.url;
    this.token = box.dataset.token;
    this.draw = draw;
    this.isAsking = false;
    this.isStale = false;
    this.isOn = true;
  }

  /** The drawing has changed: ask once it has been quiet for a moment. */
  change() {
    this.isStale = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), QUIET_MS);
  }

  async ask() {
    if (this.isAsking || !this.isStale || !this.isOn) return;
    this.isAsking = true;
    this.isStale = false;
    this.state.textContent = "Making a face from the drawing…";
    const began = performance.now();
    try {
      const answer = await fetch(this.url, {
        method: "POST",
        headers: { "Content-Type": "image/png", "X-CSRF-Token": this.token },
        body: await this.draw(),
      });
      if (answer.ok) this.show(await answer.blob(), performance.now() - began);
      else this.state.textContent = await Preview.reason(answer);
    } catch {
      this.state.textContent = "The server does not answer. The drawing is safe; go on drawing.";
    } finally {
      this.isAsking = false;
      if (this.isStale) this.change();
    }
  }

  static async reason(answer) {
    if (answer.status === 429) return "Too many previews at once; the next one follows shortly.";
    try {
      return (await answer.json()).detail;
    } catch {
      return `No preview (${answer.status}).`;
    }
  }

  show(blob, tookMs) {
    const before = this.picture.src;
    this.picture.src = URL.createObjectURL(blob);
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
    this.state.textContent = `Up to date with the drawing. Made in ${Math.round(tookMs)} ms.`;
  }
}
