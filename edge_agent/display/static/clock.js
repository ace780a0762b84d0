// Counts down by a clock that nobody can set; each word from the terminal corrects it.

export class Clock {
  #ends = new Map();

  set(key, leftSeconds) {
    if (leftSeconds === null || leftSeconds === undefined) this.#ends.delete(key);
    else this.#ends.set(key, performance.now() + leftSeconds * 1000);
  }

  left(key) {
    const end = this.#ends.get(key);
    return end === undefined ? null : Math.max(0, (end - performance.now()) / 1000);
  }

  static text(seconds) {
    const whole = Math.ceil(seconds - 0.001);
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(whole / 3600);
    const minutes = Math.floor((whole % 3600) / 60);
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  }
}
