/** What the pool loads modules with, in the runtime of the tests. */
interface Loader {
  import(path: string): Promise<unknown>;
}

declare const __vitest_mocker__: { readonly moduleRunner: Loader };

const MAIN = "/test/support/worker.ts";
const keeping = new WeakSet<Loader>();

/**
 * From now on the Worker's module is asked of vitest's process once. The pool asks for it at each call of an object, and
 * tests that make many calls spent two fifths of their time on the answers, which are all the same.
 */
export function keepMainModule(): void {
  const loader = __vitest_mocker__.moduleRunner;
  // Files that share a runtime share its loader.
  if (keeping.has(loader)) return;
  keeping.add(loader);
  const load = loader.import.bind(loader);
  let main: unknown;
  loader.import = async (path) => {
    if (!path.endsWith(MAIN)) return load(path);
    main ??= await load(path);
    return main;
  };
}
