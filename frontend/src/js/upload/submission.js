/** Submission tokens: sending a file twice with the same token creates one video. */

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
