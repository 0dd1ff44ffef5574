/** Tokens that make sending a file twice harmless: the server keeps one video for each. */

/**
 * @returns {string} 22 characters of base64url, never beginning with "-"
 *
 * Not crypto.randomUUID: that needs a secure context, which plain HTTP in a home network is not.
 */
export function newSubmission() {
  for (;;) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const token = btoa(String.fromCharCode(...bytes))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");
    if (!token.startsWith("-")) return token;
  }
}
