/** Whether a host name of a URL means this very machine. URLs write every form of an IPv4 address as four decimals. */
export const isLoopbackHost = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
