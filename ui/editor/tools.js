// The tools of an editor: which there are for a kind of input, the chosen one, its width and its colour.

const TOOLS = {
  outline: ["pen", "erase"],
  labels: ["rect", "brush", "erase"],
  paint: ["brush", "fill", "rect", "ellipse", "erase", "pick"],
  picture: [],
};
const ROUGH_TOOLS = ["brush", "fill", "ellipse", "erase"]; // for labels of which nature draws the borders
// min, max, step, default; in pixels at size 128
const WIDTHS = { outline: [1, 6, 0.5, 2.5], labels: [2, 40, 1, 10], paint: [2, 40, 1, 10] };
const ROUGH_WIDTHS = [4, 60, 1, 24];
const ERASER_FACTOR = { outline: 4, labels: 1, paint: 1 }; // a line is thin, and what erases it need not be

class Tools {
  /**
   * @param root   the element of editor.html
   * @param texts  by key, in the visitor's language
   */
  constructor(root, texts) {
    Object.assign(this, { root, texts, kind: null, name: null, colour: null });
    this.part("any-colour").addEventListener("input", (event) => this.chooseColour(event.target.value));
    root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.tool) this.choose(button.dataset.tool);
    });
  }

  part(name) {
    return this.root.querySelector(`[data-part="${name}"]`);
  }

  get buttons() {
    return this.root.querySelectorAll("[data-tool]");
  }

  /** Show the tools and colours of an input spec, and choose the first. */
  use({ kind, foreground, palette, rough }) {
    this.kind = kind;
    const names = rough ? ROUGH_TOOLS : TOOLS[kind];
    this.part("drawing-tools").hidden = !names.length;
    for (const button of this.buttons) button.hidden = !names.includes(button.dataset.tool);
    if (names.length) {
      const [min, max, step, value] = rough ? ROUGH_WIDTHS : WIDTHS[kind];
      Object.assign(this.part("width"), { min, max, step });
      this.part("width").value = value;
    }
    this.showPalette(Object.entries(palette));
    this.choose(names[0] ?? null);
    this.chooseColour(foreground);
  }

  showPalette(colours) {
    const free = this.kind === "paint";
    const swatches = colours.map(([name, value]) => {
      const button = Object.assign(document.createElement("button"), { type: "button", value });
      const dot = document.createElement("i");
      dot.style.background = value;
      button.append(dot);
      if (free) button.title = button.ariaLabel = this.texts[`colour_${name}`];
      else button.append(name);
      button.onclick = () => this.chooseColour(value);
      return button;
    });
    this.part("swatches").replaceChildren(...swatches);
    this.part("any-colour").parentElement.hidden = !free;
    this.part("palette").hidden = !swatches.length;
  }

  choose(name) {
    if (name !== "pick") this.nameBefore = name;
    this.name = name;
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.tool === name);
  }

  /** Choose a colour, `#rrggbb`, and a tool that uses it. */
  chooseColour(value) {
    this.colour = value;
    if (this.name === "pick") this.choose(this.nameBefore);
    if (this.name === "erase") this.choose(TOOLS[this.kind][0]);
    const swatches = [...this.part("swatches").children];
    for (const button of swatches) button.setAttribute("aria-pressed", button.value === value);
    const picker = this.part("any-colour");
    picker.value = value;
    picker.parentElement.classList.toggle("chosen", swatches.every((button) => button.value !== value));
  }

  /** Whether a press on the drawing picks its colour: with the tool for it, or with Alt and any other. */
  picks(event) {
    return this.name === "pick" || (this.kind === "paint" && event.altKey);
  }

  /** What a press on a drawing begins: a stroke or a shape; with a pen's other end it erases, whatever the tool. */
  operation({ size, background }, otherEnd) {
    const { name, colour, kind } = this;
    const erases = otherEnd || name === "erase";
    if (!erases && (name === "rect" || name === "ellipse")) return { type: name, colour };
    const width = (this.part("width").valueAsNumber * size) / 128;
    return { type: "stroke", colour: erases ? background : colour, width: width * (erases ? ERASER_FACTOR[kind] : 1), erases };
  }
}
