/** Where webhooks of the tests' Worker go: every fetch that leaves workerd ends in `receive`, in the tests' own process. */
export const RECEIVER = "https://hooks.example.com";

/** Where the tests' Worker sends every event. */
export const EVENTS_PATH = "/events";

/** A request as it was received. */
export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The exact text. */
  readonly body: string;
}

/** What came, by path. */
const inbox = new Map<string, Received[]>();

/**
 * The far end of every fetch. A POST is kept under its path and answered 204, or as its query says: `?status=500`, `?first=500`
 * (only the first time), `?never` (no answer at all). An event whose id ends in `refused-once` is answered 500 when it first comes.
 * A GET answers what was kept under its path, with `?after=N` without the first N, with `?count` how many there are.
 */
export async function receive(request: {
  readonly method: string;
  readonly url: string;
  readonly headers: Iterable<[string, string]>;
  text(): Promise<string>;
}): Promise<{ readonly status: number; readonly body: string | null }> {
  const { pathname, searchParams } = new URL(request.url);
  if (request.method === "GET") {
    const kept = inbox.get(pathname) ?? [];
    const found = kept.slice(Number(searchParams.get("after")));
    const body = searchParams.has("count") ? kept.length : found;
    return { status: 200, body: JSON.stringify(body) };
  }
  const body = await request.text();
  const kept = inbox.get(pathname) ?? [];
  inbox.set(pathname, kept);
  kept.push({ path: pathname, headers: Object.fromEntries(request.headers), body });

  if (searchParams.has("never")) await new Promise(() => {});
  const first = kept.length === 1 ? searchParams.get("first") : null;
  const status = isRefusedOnce(kept) ? 500 : Number(first ?? searchParams.get("status") ?? 204);
  return { status, body: null };
}

/** Whether the newest is an event that is to be refused once, and came for the first time. */
function isRefusedOnce(kept: readonly Received[]): boolean {
  const idOf = ({ headers }: Received) => headers["webhook-id"] ?? "";
  const [newest] = kept.slice(-1);
  const id = newest === undefined ? "" : idOf(newest);
  return id.endsWith("refused-once") && kept.filter((each) => idOf(each) === id).length === 1;
}
