// Sounds made of tones, so that there is no file: a yes rises, a no falls, a warning rings, a word taps.

const TUNES = {
  read: [[880, 0, 0.07]],
  yes: [[523.25, 0, 0.16], [659.25, 0.12, 0.16], [783.99, 0.24, 0.42]],
  wait: [[440, 0, 0.18], [440, 0.24, 0.24]],
  no: [[311.13, 0, 0.22], [233.08, 0.2, 0.42]],
  word: [[740, 0, 0.09], [987.77, 0.08, 0.16]],
  warn: [[659.25, 0, 0.3], [523.25, 0.28, 0.5]],
  end: [[659.25, 0, 0.25], [523.25, 0.22, 0.25], [392, 0.44, 0.6]],
};
const LOUDNESS = 0.18;

export class Sound {
  isOn = true;
  played = []; // each cue that was due, newest last: what a deaf ear, or a test, can look at
  #context = null;
  #moment = "";

  play(cue, moment) {
    if (moment === this.#moment || !TUNES[cue]) return;
    this.#moment = moment;
    this.played = [...this.played.slice(-9), cue];
    document.body.dataset.cue = cue;
    if (!this.isOn) return;
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") this.#context.resume().catch(() => {});
    for (const [hertz, at, seconds] of TUNES[cue]) this.#tone(hertz, at, seconds);
  }

  #tone(hertz, at, seconds) {
    const context = this.#context;
    const begins = context.currentTime + at;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = "sine";
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, begins);
    volume.gain.linearRampToValueAtTime(LOUDNESS, begins + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.001, begins + seconds);
    tone.connect(volume).connect(context.destination);
    tone.start(begins);
    tone.stop(begins + seconds);
  }
}
