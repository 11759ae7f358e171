// Signing in: with an address and a password, or in development as one of the sample people, whom the router's page names.
import { useMutation } from "@apollo/client/react";
import { useEffect, useState, type FormEvent } from "react";
import { complaintOf } from "./complaint";
import { BeginPasskeyLoginDocument, SignInDocument, SignInWithPasskeyDocument, type SignInMutation } from "./graph.generated";
import { hasPasskeys, usePasskey } from "./passkey";
import { keepSession } from "./session";

interface Person {
  name: string;
  note: string;
  variables: { email: string; password: string };
}

export function SignIn() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [complaint, setComplaint] = useState<string | null>(null);
  const [signIn, { loading }] = useMutation(SignInDocument);
  const [beginPasskey] = useMutation(BeginPasskeyLoginDocument);
  const [signInWithPasskey] = useMutation(SignInWithPasskeyDocument);
  const people = useSamplePeople();

  async function enter(as: { email: string; password: string }) {
    setComplaint(null);
    try {
      const { data } = await signIn({ variables: { input: as } });
      take(data?.login);
    } catch (error) {
      setComplaint(complaintOf(error));
    }
  }

  async function enterWithPasskey() {
    setComplaint(null);
    try {
      const begun = (await beginPasskey({ variables: { input: {} } })).data?.beginPasskeyLogin;
      if (!begun?.challengeId || !begun.options) return setComplaint(begun?.userErrors[0]?.message ?? "That did not work.");
      const credential = await usePasskey(begun.options);
      const { data } = await signInWithPasskey({ variables: { input: { challengeId: begun.challengeId, credential } } });
      take(data?.loginWithPasskey);
    } catch (error) {
      setComplaint(complaintOf(error));
    }
  }

  function take(given: SignInMutation["login"] | undefined) {
    if (given?.accessToken && given.refreshToken && given.user) {
      const { accessToken, refreshToken, user } = given;
      keepSession({ userId: user.id, name: user.displayName, accessToken, refreshToken });
    } else setComplaint(given?.userErrors[0]?.message ?? "That did not work.");
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    void enter({ email, password });
  }

  return (
    <main className="sign-in">
      <h1>FitTracker</h1>
      <p className="lead">Meals, workouts, weight and goals: four subgraphs, one graph.</p>
      <form className="card" onSubmit={submit}>
        <label>
          E-mail
          <input type="email" autoComplete="username" required value={email} onChange={(event) => setEmail(event.target.value)} />
        </label>
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
        {complaint && <p role="alert">{complaint}</p>}
        <button className="primary" disabled={loading}>
          Sign in
        </button>
        {hasPasskeys && (
          <button type="button" disabled={loading} onClick={() => void enterWithPasskey()}>
            Use a passkey
          </button>
        )}
      </form>
      {people.length > 0 && (
        <section className="card" aria-label="Sample people">
          <h2>Or be one of the sample people</h2>
          <div className="people">
            {people.map((person) => (
              <button key={person.name} disabled={loading} onClick={() => void enter(person.variables)}>
                <strong>{person.name}</strong>
                <span>{person.note}</span>
              </button>
            ))}
          </div>
        </section>
      )}
    </main>
  );
}

function useSamplePeople(): Person[] {
  const [people, setPeople] = useState<Person[]>([]);
  useEffect(() => {
    fetch("/pages/workbench.json")
      .then((response) => (response.ok ? response.json() : null))
      .then((about: { signIn?: { people?: Person[] } } | null) => setPeople(about?.signIn?.people ?? []))
      .catch(() => setPeople([]));
  }, []);
  return people;
}
