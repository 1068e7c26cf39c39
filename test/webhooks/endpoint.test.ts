import { describe, expect, it } from "vitest";
import { checkEndpoint } from "../../src/webhooks/endpoint";

const outcome = (address: string, loopback: boolean): string => {
  const checked = checkEndpoint(address, { loopback });
  return checked.ok ? "ok" : checked.error;
};

describe("where webhooks may go", () => {
  it.each`
    address                               | verdict
    ${"https://hooks.example.com/in?a=1"} | ${"ok"}
    ${"https://hooks.example.com:8443/"}  | ${"ok"}
    ${"HTTPS://Hooks.Example.COM"}        | ${"ok"}
    ${"hooks.example.com/in"}             | ${"is not a URL"}
    ${"http://hooks.example.com/"}        | ${"is not https"}
    ${"ftp://hooks.example.com/"}         | ${"is not https"}
    ${"https://me@hooks.example.com/"}    | ${"has a user or password in it"}
    ${"https://:pw@hooks.example.com/"}   | ${"has a user or password in it"}
    ${"https://10.0.0.1/"}                | ${"is a literal IP address"}
    ${"https://8.8.8.8/"}                 | ${"is a literal IP address"}
    ${"https://2130706433/"}              | ${"is a literal IP address"}
    ${"https://0x7f.1/"}                  | ${"is a literal IP address"}
    ${"https://0177.0.0.1/"}              | ${"is a literal IP address"}
    ${"https://[::1]/"}                   | ${"is a literal IP address"}
    ${"https://[::ffff:10.0.0.1]/"}       | ${"is a literal IP address"}
    ${"https://localhost/"}               | ${"is the name of a private network"}
    ${"https://LOCALHOST./"}              | ${"is the name of a private network"}
    ${"https://app.localhost/"}           | ${"is the name of a private network"}
    ${"https://printer.local/"}           | ${"is the name of a private network"}
    ${"https://db.internal/"}             | ${"is the name of a private network"}
    ${"https://metadata.google.internal"} | ${"is the name of a private network"}
    ${"https://intranet/"}                | ${"is the name of a private network"}
    ${"https://internal.example.com/"}    | ${"ok"}
    ${"http://localhost:5002/"}           | ${"is not https"}
    ${"http://127.0.0.1:5002/"}           | ${"is not https"}
  `("$address: $verdict", ({ address, verdict }) => {
    expect(outcome(address, false)).toBe(verdict);
  });

  it.each`
    address                         | verdict
    ${"http://localhost:5002/in"}   | ${"ok"}
    ${"http://127.0.0.1:5002/in"}   | ${"ok"}
    ${"http://127.9.9.9/"}          | ${"ok"}
    ${"http://[::1]:5002/"}         | ${"ok"}
    ${"https://localhost:5002/"}    | ${"ok"}
    ${"https://hooks.example.com/"} | ${"ok"}
    ${"http://hooks.example.com/"}  | ${"is not https"}
    ${"http://me@localhost:5002/"}  | ${"has a user or password in it"}
    ${"ftp://localhost/"}           | ${"is not https"}
    ${"http://10.0.0.1/"}           | ${"is not https"}
    ${"https://10.0.0.1/"}          | ${"is a literal IP address"}
    ${"https://app.localhost/"}     | ${"is the name of a private network"}
  `("with loopback allowed, $address: $verdict", ({ address, verdict }) => {
    expect(outcome(address, true)).toBe(verdict);
  });
});
