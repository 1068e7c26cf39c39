import { connect, type Socket } from "node:net";

/**
 * One keep-alive HTTP connection with one request under way at a time. It reads status and length and little else:
 * on a machine of two cores a full client would take more of them than the server that it measures.
 */
export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = "";
  #answered: ((status: string) => void) | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a whole request and resolves with the status of its answer, or with `lost` if none came. */
  ask(request: string): Promise<string> {
    return new Promise((answered) => {
      this.#answered = answered;
      this.#socket ??= this.#connect();
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #connect(): Socket {
    this.#received = "";
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", () => undefined); // It closes next.
    socket.on("close", () => {
      this.#socket = undefined;
      this.#answer("lost");
    });
    return socket;
  }

  #receive(text: string): void {
    this.#received += text;
    if (!isWhole(this.#received)) return;
    const status = this.#received.slice(9, 12);
    this.#received = "";
    this.#answer(status);
  }

  #answer(status: string): void {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(status);
  }
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1];
  if (length === undefined) return answer.endsWith("0\r\n\r\n"); // Chunked.
  return answer.length >= headEnd + 4 + Number(length);
}
