// A pen and a hand on one screen: the pen wins over touches, its pressure sets the width, and its other end erases.

const PALM_MS = 500; // touches so shortly before or after the pen are the hand that holds it
const ERASER = 5; // the button of a pen's eraser end
const LIGHTEST = 0.35; // share of the chosen width that the lightest touch draws; pressed as hard as can be, it is 2 less this

class Pen {
  constructor() {
    this.seen = -Infinity; // when the pen last touched or hovered
  }

  /** Note a pointer's event. */
  note(event) {
    if (event.pointerType === "pen") this.seen = event.timeStamp;
  }

  /** Whether a touch is the hand beside a pen. */
  isPalm(event) {
    return event.pointerType === "touch" && event.timeStamp - this.seen < PALM_MS;
  }

  /** Whether a press is one that draws: of a finger, the main button, the tip or the eraser end of a pen. */
  draws(event) {
    return event.button <= 0 || this.erases(event);
  }

  erases(event) {
    return event.pointerType === "pen" && event.button === ERASER;
  }

  /** The share of the chosen width that a stroke has at a point. A pen that feels no pressure reports one half: all of it. */
  share({ pressure }) {
    return LIGHTEST + 2 * (1 - LIGHTEST) * pressure;
  }

  /** Take back what touches drew shortly before the pen came. */
  takeBackTouches(event, drawing) {
    let taken = false;
    while (event.timeStamp - (drawing.ops.at(-1)?.touchedAt ?? -Infinity) < PALM_MS) {
      drawing.ops.pop();
      taken = true;
    }
    if (taken) drawing.redraw();
  }
}
