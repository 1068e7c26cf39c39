import { vi } from "vitest";

/** A time in which the clock ran forward only. */
interface Era {
  /** The moment at which it began. */
  readonly from: number;
  /** Milliseconds that the clock was behind the moments. */
  readonly behind: number;
}

/**
 * The clock of a simulation, and moments: milliseconds that go on also when the clock is set back, so that of two moments
 * it is certain which was first. What objects write down are readings of the clock, each of which may stand for several moments.
 */
export class Clock {
  readonly #eras: Era[] = [{ from: Date.now(), behind: 0 }];

  /** The clock goes on by so many milliseconds, or is set back when they are negative. Answers the moment. */
  tick(ms = 1): number {
    if (ms < 0) this.#eras.push({ from: this.moment, behind: this.#behind - ms });
    vi.setSystemTime(Date.now() + ms);
    return this.moment;
  }

  /** The first and the last moment at which the clock may have said this. */
  momentsOf(readingMs: number): { readonly first: number; readonly last: number } {
    const moments = this.#eras.flatMap(({ from, behind }, index) => {
      const moment = readingMs + behind;
      return moment >= from && moment <= this.#endOf(index) ? [moment] : [];
    });
    return { first: Math.min(...moments), last: Math.max(...moments) };
  }

  /** The latest that the clock has said up to a moment. */
  reached(moment: number): number {
    const readings = this.#eras.map(({ from, behind }, index) =>
      from > moment ? Number.NEGATIVE_INFINITY : Math.min(moment, this.#endOf(index)) - behind,
    );
    return Math.max(...readings);
  }

  #endOf(era: number): number {
    return this.#eras[era + 1]?.from ?? Number.POSITIVE_INFINITY;
  }

  get #behind(): number {
    return this.#eras.at(-1)?.behind ?? 0;
  }

  /** The moment that it is. */
  get moment(): number {
    return Date.now() + this.#behind;
  }
}
