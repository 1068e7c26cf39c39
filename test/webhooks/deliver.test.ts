import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { deliver } from "../../src/webhooks/deliver";
import { receivedAt } from "../support/inbox";
import { RECEIVER } from "../support/receiver";

const KEY = "the master key — with an accent: é";
const settings = { signingKey: KEY, loopback: false, timeoutMs: 10_000 };
const body =
  '{"id":"evt_1","event":"transaction.applied","data":{"precise_amount":12345678901234567890}}';

const to = (path: string) => ({ endpoint: `${RECEIVER}/deliver${path}`, id: "evt_1", body });

/** HMAC-SHA256 in hexadecimal, by the platform's own verifier's path: key and message in, digest out. */
async function hmacHex(message: string): Promise<string> {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(KEY), algorithm, false, ["sign"]);
  const digest = await crypto.subtle.sign("HMAC", key, bytes.encode(message));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("the delivery of a webhook", () => {
  it("sends the exact body under the event's id", async () => {
    const outcome = await deliver(to("/exact"), settings);

    expect(outcome).toEqual({ ok: true, value: 204 });
    const [received] = await receivedAt("/deliver/exact");
    expect(received?.body).toBe(body);
    expect(received?.headers["content-type"]).toBe("application/json");
    expect(received?.headers["webhook-id"]).toBe("evt_1");
  });

  it("V15: signs timestamp and body with the master key, as Blnk does", async () => {
    await deliver(to("/signed"), settings);

    const [received] = await receivedAt("/deliver/signed");
    const timestamp = received?.headers["x-blnk-timestamp"] ?? "";
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(60);
    expect(received?.headers["x-blnk-signature"]).toBe(await hmacHex(`${timestamp}.${body}`));
  });

  it("V15: signs as the Standard Webhooks specification says", async () => {
    await deliver(to("/standard"), settings);

    const [received] = await receivedAt("/deliver/standard");
    const verifier = new Webhook(new TextEncoder().encode(KEY), { format: "raw" });
    expect(() => verifier.verify(received?.body ?? "", { ...received?.headers })).not.toThrow();
    expect(() => verifier.verify(`${received?.body} `, { ...received?.headers })).toThrow();
  });

  it("sends no signature when there is no key", async () => {
    await deliver(to("/unsigned"), { ...settings, signingKey: null });

    const [received] = await receivedAt("/deliver/unsigned");
    const names = Object.keys(received?.headers ?? {});
    expect(names).toContain("webhook-id");
    expect(names).not.toContain("x-blnk-signature");
    expect(names).not.toContain("x-blnk-timestamp");
    expect(names).not.toContain("webhook-signature");
  });

  it.each([301, 302, 307, 400, 404, 500, 503])("counts status %i as a failure", async (status) => {
    const outcome = await deliver(to(`/status-${status}?status=${status}`), settings);

    const error = { reason: `the receiver answered ${status}`, isAway: false };
    expect(outcome).toEqual({ ok: false, error });
    expect(await receivedAt(`/deliver/status-${status}`)).toHaveLength(1);
  });

  it("gives up on a receiver that does not answer in time", async () => {
    const outcome = await deliver(to("/never?never"), { ...settings, timeoutMs: 100 });

    const error = { reason: "the receiver did not answer within 0.1 s", isAway: true };
    expect(outcome).toEqual({ ok: false, error });
  });

  it("sends nothing to an address that is not allowed", async () => {
    const outcome = await deliver(
      { endpoint: "http://hooks.example.com/deliver/plain", id: "evt_1", body },
      settings,
    );

    const error = { reason: "the address is not https", isAway: false };
    expect(outcome).toEqual({ ok: false, error });
    expect(await receivedAt("/deliver/plain")).toHaveLength(0);
  });
});
