// The person's passkeys: added, renamed and removed.
import { useMutation } from "@apollo/client/react";
import { useState, type FormEvent } from "react";
import { complaintOf } from "./complaint";
import { dateWithYear } from "./format";
import {
  AddPasskeyDocument,
  BeginPasskeyDocument,
  RemovePasskeyDocument,
  RenamePasskeyDocument,
  SettingsDocument,
  type SettingsQuery,
} from "./graph.generated";
import { createPasskey, hasPasskeys, whereThereArePasskeys } from "./passkey";

type Passkey = SettingsQuery["me"]["passkeys"][number];
const AGAIN = { refetchQueries: [SettingsDocument], awaitRefetchQueries: true };

export function Passkeys({ passkeys }: { passkeys: readonly Passkey[] }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [asksPassword, setAsksPassword] = useState(false);
  const [complaint, setComplaint] = useState<string | null>(null);
  const [begin] = useMutation(BeginPasskeyDocument);
  const [add, adding] = useMutation(AddPasskeyDocument, AGAIN);
  const [rename] = useMutation(RenamePasskeyDocument, AGAIN);
  const [remove] = useMutation(RemovePasskeyDocument, AGAIN);

  /** Does something and tells what the graph has against it; a sign-in that is too old makes it ask for the password. */
  async function attempt(what: () => Promise<readonly { field: string | null; message: string }[] | undefined>) {
    setComplaint(null);
    try {
      const refusals = (await what()) ?? [];
      if (refusals.some((each) => each.field === "currentPassword")) setAsksPassword(true);
      setComplaint(refusals[0]?.message ?? null);
    } catch (error) {
      setComplaint(complaintOf(error));
    }
  }

  const currentPassword = asksPassword && password ? password : null;

  function create(event: FormEvent) {
    event.preventDefault();
    void attempt(async () => {
      const begun = (await begin({ variables: { input: { currentPassword } } })).data?.beginPasskey;
      if (!begun?.challengeId || !begun.options) return begun?.userErrors;
      const credential = await createPasskey(begun.options);
      const input = { challengeId: begun.challengeId, credential, name: name || "Passkey" };
      const refusals = (await add({ variables: { input } })).data?.addPasskey?.userErrors;
      if (!refusals?.length) setName("");
      return refusals;
    });
  }

  function call(passkey: Passkey) {
    const wanted = prompt("What to call this passkey", passkey.name);
    if (wanted)
      void attempt(async () => {
        const input = { id: passkey.id, name: wanted, expectedVersion: passkey.version };
        return (await rename({ variables: { input } })).data?.renamePasskey?.userErrors;
      });
  }

  function takeAway(passkey: Passkey) {
    if (confirm(`Remove ${passkey.name}? Whoever signed in with it is signed out.`))
      void attempt(
        async () => (await remove({ variables: { input: { id: passkey.id, currentPassword } } })).data?.removePasskey?.userErrors,
      );
  }

  return (
    <section className="card" aria-label="Passkeys">
      <h2>Passkeys</h2>
      <p>Sign in with what unlocks this device, or with a security key, instead of the password.</p>
      <ul className="lines">
        {passkeys.map((each) => (
          <li key={each.id}>
            <strong>{each.name}</strong>
            <small>{stateOf(each)}</small>
            <button onClick={() => call(each)}>Rename</button>
            <button onClick={() => takeAway(each)}>Remove</button>
          </li>
        ))}
      </ul>
      {hasPasskeys ? (
        <form onSubmit={create}>
          <label>
            Name
            <input value={name} maxLength={100} placeholder="This device" onChange={(event) => setName(event.target.value)} />
          </label>
          {asksPassword && (
            <label>
              Password
              <input
                type="password"
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            </label>
          )}
          <button className="primary" disabled={adding.loading}>
            Add a passkey
          </button>
        </form>
      ) : (
        <p>{whereThereArePasskeys ? <a href={whereThereArePasskeys}>Passkeys need this page by its name.</a> : "This browser has no passkeys."}</p>
      )}
      {complaint && <p role="alert">{complaint}</p>}
    </section>
  );
}

function stateOf(passkey: Passkey): string {
  if (passkey.blockedAt) return "shut: there seems to be a copy of it";
  const used = passkey.lastUsedAt ? `used ${dateWithYear(passkey.lastUsedAt.slice(0, 10))}` : "not used yet";
  return `${passkey.isSynced ? "on all of its keeper's devices" : "on one device"}, ${used}`;
}
