// Requests that follow a moving hand. At most one or two are under way and only the newest other one waits, so a slow
// server is never flooded. Requests are numbered, so an older answer never replaces a newer one.

const TIMEOUT_MS = 20000;
// A second request under way is worth it in two cases.
const FAR_MS = [60, 400]; // … a distant server: its time on the network; more than that is waiting in a queue
const QUICK_MS = [12, 80]; // … a quick one: its time in a neural network and in all

class LiveRequests {
  /**
   * @param send       async payload → answer
   * @param onAnswer   (answer, request, isCurrent): a new answer; isCurrent() tells whether none newer came since
   * @param onError    (error): the newest request failed, or timed out with the message `offline`
   * @param onBusy     (busy): the first request was sent, or the last one was answered
   * @param offline    the message of a timeout
   * @param isLoading  () → whether what answers is still being loaded, which may take long; timeouts wait for it
   */
  constructor({ send, onAnswer, onError, onBusy, offline, isLoading = () => false }) {
    Object.assign(this, { send, onAnswer, onError, onBusy, offline, isLoading });
    this.sent = 0; // the number of the newest request
    this.dropped = 0; // answers to requests up to this number are ignored
    this.underWay = 0;
    this.mostUnderWay = 1;
    this.waiting = null;
  }

  /** Send the request that `make()` gives: {payload, …}. It is called when its turn comes, with the state of then. */
  request(make) {
    this.waiting = make;
    this.next();
  }

  /** Drop the waiting request and the answers to those under way: they are about something that is gone. */
  drop() {
    this.waiting = null;
    this.dropped = this.sent;
  }

  async next() {
    if (!this.waiting || this.underWay >= this.mostUnderWay) return;
    const request = { number: ++this.sent, ...this.waiting() };
    const isCurrent = () => request.number > this.dropped;
    this.waiting = null;
    if (!this.underWay++) this.onBusy(true);
    let timer;
    const timeout = new Promise((_, reject) => {
      const wait = () => (timer = setTimeout(() => (this.isLoading() ? wait() : reject(new Error(this.offline))), TIMEOUT_MS));
      wait();
    });
    try {
      const start = performance.now();
      const answer = await Promise.race([this.send(request.payload), timeout]);
      this.adapt(performance.now() - start, answer.ms);
      if (isCurrent()) {
        this.dropped = request.number - 1;
        await this.onAnswer(answer, request, isCurrent);
      }
    } catch (error) {
      if (isCurrent()) this.onError(error);
    } finally {
      clearTimeout(timer);
      this.underWay--;
      if (this.waiting) this.next();
      else if (!this.underWay) this.onBusy(false);
    }
  }

  /** Decide how many requests may be under way, from an answer's time in all and in the neural network. */
  adapt(total, inNetwork) {
    const onTheWay = total - inNetwork; // NaN where an answer does not tell its own time
    const isFar = onTheWay >= FAR_MS[0] && onTheWay < FAR_MS[1];
    const isQuick = inNetwork < QUICK_MS[0] && total < QUICK_MS[1];
    this.mostUnderWay = isFar || isQuick ? 2 : 1;
  }
}
