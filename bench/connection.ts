import { connect, type Socket } from "node:net";

/** An answer, as far as anybody here looks at it. */
export interface Answer {
  /** Three digits, or `lost` if none came. */
  readonly status: string;
  /** Of an answer with 503: seconds to wait, null when it does not say. */
  readonly retryAfter: number | null;
  /** Whether it is not known if the request was carried out. */
  readonly isUnknown: boolean;
}

const LOST: Answer = { status: "lost", retryAfter: null, isUnknown: true };

/**
 * One keep-alive HTTP connection with one request under way at a time. It reads status and length and little else:
 * on a machine of two cores a full client would take more of them than the server that it measures.
 */
export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = "";
  #answered: ((answer: Answer) => void) | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a whole request and resolves with its answer. */
  ask(request: string): Promise<Answer> {
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
      this.#answer(LOST);
    });
    return socket;
  }

  #receive(text: string): void {
    this.#received += text;
    if (!isWhole(this.#received)) return;
    const answer = answerIn(this.#received);
    this.#received = "";
    this.#answer(answer);
  }

  #answer(answer: Answer): void {
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.(answer);
  }
}

function answerIn(text: string): Answer {
  const status = text.slice(9, 12);
  if (status !== "503") return { status, retryAfter: null, isUnknown: false };
  const seconds = /\r\nretry-after: (\d+)/i.exec(text)?.[1];
  return {
    status,
    retryAfter: seconds === undefined ? null : Number(seconds),
    isUnknown: !text.includes('"GEN_OVERLOADED"'),
  };
}

function isWhole(answer: string): boolean {
  const headEnd = answer.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1];
  if (length === undefined) return answer.endsWith("0\r\n\r\n"); // Chunked.
  return answer.length >= headEnd + 4 + Number(length);
}
