import { connect, type Socket } from "node:net";

/**
 * One keep-alive HTTP connection with one request under way at a time. It reads status and length and little else:
 * on a machine of two cores a full client would take more of them than the server that it measures.
 */
export class Connection {
  readonly #socket: Socket;
  #received = "";
  #answered: ((status: string) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => this.#receive(text));
    this.#socket.on("error", (error) => this.#failed?.(error));
    this.#socket.on("close", () => this.#failed?.(new Error("the server closed the connection")));
  }

  /** Sends a whole request and resolves with the status of its answer. */
  ask(request: string): Promise<string> {
    return new Promise((answered, failed) => {
      this.#answered = answered;
      this.#failed = failed;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    if (!isWhole(this.#received)) return;
    const status = this.#received.slice(9, 12);
    this.#received = "";
    this.#answered?.(status);
  }
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1];
  if (length === undefined) return answer.endsWith("0\r\n\r\n"); // Chunked.
  return answer.length >= headEnd + 4 + Number(length);
}
