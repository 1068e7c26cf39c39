/** A whole GET request as it goes over the wire. */
export function get(path: string, headers: Readonly<Record<string, string>>): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headerLines(headers)}\r\n`;
}

/** A whole POST request. Bodies here are ASCII, so characters are bytes. */
export function post(
  path: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): string {
  const own = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\n${own}${headerLines(headers)}\r\n${body}`;
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
}
