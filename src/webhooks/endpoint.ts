import { isLoopbackHost } from "../domain/loopback";
import { err, ok, type Result } from "../domain/result";

/** Names that mean a machine or a network of one's own. */
const PRIVATE_NAMES = ["localhost", "local", "localdomain", "internal", "lan", "home.arpa"];

/** What an endpoint's address may be. */
export interface EndpointRules {
  /** Whether http to this machine is allowed: for local runs alone. */
  readonly loopback: boolean;
}

/**
 * The address as a URL, or in words why nothing is sent there: https only, no user or password in it,
 * no literal IP address, no name of a private network. With `loopback`, http or https to this machine as well.
 */
export function checkEndpoint(address: string, rules: EndpointRules): Result<URL, string> {
  if (!URL.canParse(address)) return err("is not a URL");
  const url = new URL(address);
  if (url.username !== "" || url.password !== "") return err("has a user or password in it");
  if (rules.loopback && isWeb(url) && isLoopbackHost(url.hostname)) return ok(url);
  if (url.protocol !== "https:") return err("is not https");
  if (isLiteralAddress(url.hostname)) return err("is a literal IP address");
  if (isPrivateName(url.hostname)) return err("is the name of a private network");
  return ok(url);
}

const isWeb = ({ protocol }: URL): boolean => protocol === "http:" || protocol === "https:";

/** URLs write every form of an IPv4 address (`0x7f.1`, `2130706433`) as four decimals, and IPv6 in brackets. */
const isLiteralAddress = (host: string): boolean =>
  host.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(host);

/** A name without a dot is one of a private network too. */
function isPrivateName(host: string): boolean {
  const name = host.replace(/\.+$/, "");
  return (
    !name.includes(".") ||
    PRIVATE_NAMES.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))
  );
}
