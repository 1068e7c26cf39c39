/** At most this many things travel in one call, or are written together. */
const COUNT_MAX = 500;
/** And at most this many characters: a call carries 32 MiB, a character takes two bytes at most. */
const CHARACTERS_MAX = 4_000_000;

/** Cuts a list into pieces that fit one call each, in order, one at a time. `weigh` answers characters. */
export function* parcels<T>(list: Iterable<T>, weigh: (each: T) => number): Generator<T[]> {
  let parcel: T[] = [];
  let weight = 0;
  for (const each of list) {
    const added = weigh(each);
    if (parcel.length === COUNT_MAX || (parcel.length > 0 && weight + added > CHARACTERS_MAX)) {
      yield parcel;
      parcel = [];
      weight = 0;
    }
    parcel.push(each);
    weight += added;
  }
  if (parcel.length > 0) yield parcel;
}
