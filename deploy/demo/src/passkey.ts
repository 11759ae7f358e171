// Passkeys: between the JSON of the graph and the browser's own calls.

/** Whether a page here can ask for a passkey: WebAuthn wants a domain, so an address of numbers has none. */
export const hasPasskeys = "credentials" in navigator && typeof PublicKeyCredential !== "undefined" && !/^[\d.]+$|:/.test(location.hostname);

/** The same page where passkeys are to be had: this machine by its name. */
export const whereThereArePasskeys = location.hostname === "127.0.0.1" ? location.href.replace("127.0.0.1", "localhost") : null;

export async function createPasskey(options: string): Promise<string> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options));
  return JSON.stringify(await navigator.credentials.create({ publicKey }));
}

export async function usePasskey(options: string): Promise<string> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
  return JSON.stringify(await navigator.credentials.get({ publicKey }));
}
