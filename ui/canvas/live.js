// Live answers: few questions under way and the newest one waiting, so that a slow server is never
// flooded; a number on each question, so that an old answer never replaces a newer one.

const PATIENCE = 20000; // milliseconds after which a question counts as lost
const FAR = [60, 400]; // milliseconds on the way: from here on a second question, too long for anything but a queue
const QUICK = [12, 80]; // milliseconds in a network and in all: below both a second question does not delay the first

class Live {
  /**
   * @param ask   async payload → answer
   * @param show  (answer, question, wanted) for the newest answer; wanted() tells whether it still is
   * @param fail  (error) when the newest question got none
   * @param rest  (busy) when questions begin and when the last one is answered
   */
  constructor(ask, show, fail, rest) {
    Object.assign(this, { ask, show, fail, rest });
    this.asked = 0;
    this.oldest = 0; // answers to questions up to this number are unwelcome
    this.underWay = 0;
    this.two = false; // whether the server is so far or so quick that it has time for a second question meanwhile
    this.waiting = null;
  }

  /** Ask `make()` (called only when its turn comes, so it sends the newest drawing). */
  request(make) {
    this.waiting = make;
    this.next();
  }

  /** Forget the waiting question and the answers under way: the drawing that they are about is gone. */
  forget() {
    this.waiting = null;
    this.oldest = this.asked;
  }

  async next() {
    if (!this.waiting || this.underWay > (this.two ? 1 : 0)) return;
    const question = { number: ++this.asked, ...this.waiting() };
    const wanted = () => question.number > this.oldest;
    this.waiting = null;
    if (!this.underWay++) this.rest(true);
    let lost;
    const patience = new Promise((_, reject) => {
      lost = setTimeout(() => reject(new Error("lost")), PATIENCE);
    });
    try {
      const start = performance.now();
      const answer = await Promise.race([this.ask(question.payload), patience]);
      const took = performance.now() - start;
      const way = took - answer.ms; // no number where an answer does not tell its own time
      this.two = (way >= FAR[0] && way < FAR[1]) || (answer.ms < QUICK[0] && took < QUICK[1]);
      if (wanted()) {
        this.oldest = question.number - 1;
        await this.show(answer, question, wanted);
      }
    } catch (error) {
      if (wanted()) this.fail(error);
    } finally {
      clearTimeout(lost);
      this.underWay--;
      if (this.waiting) this.next();
      else if (!this.underWay) this.rest(false);
    }
  }
}
