// A pen and a hand on one screen: the pen wins over touches, and its other end erases.

const PALM_MS = 500; // touches so shortly before or after the pen are the hand that holds it
const ERASER = 5; // the button of a pen's eraser end

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
