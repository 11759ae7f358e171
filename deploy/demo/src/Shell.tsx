// What stands around every page: where one can go, who is signed in, and what waits for the network.
import { useEffect, useState, type ReactNode } from "react";
import { client, isOnline } from "./client";
import { SignOutDocument } from "./graph.generated";
import { Bell } from "./Notifications";
import { forgetRefusals, useOutbox, type Kind } from "./outbox";
import { linkTo, PAGES, type Page } from "./route";
import { keepSession, type Session } from "./session";
import { title } from "./format";

const ICONS: Record<(typeof PAGES)[number], string> = {
  today: "M12 3a9 9 0 1 0 9 9M12 8a4 4 0 1 0 4 4",
  diary: "M5 4h11l3 3v13H5zM8 10h8M8 14h8",
  workout: "M4 9v6M7 7v10M17 7v10M20 9v6M7 12h10",
  weight: "M4 18l5-6 4 3 7-9",
  week: "M5 20V10M12 20V5M19 20v-7",
  coaching: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M3 20a6 6 0 0 1 12 0M16 4.5a3.5 3.5 0 0 1 0 6M18 14a6 6 0 0 1 3 6",
};

export function Shell({ session, page, children }: { session: Session; page: Page; children: ReactNode }) {
  return (
    <div className="shell">
      <header>
        <a className="brand" href={linkTo("today")}>
          FitTracker
        </a>
        <Bell page={page} />
        <a className="who" href={linkTo("settings")} title="Settings" aria-current={page === "settings" ? "page" : undefined}>
          {session.name}
        </a>
        <button className="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <nav aria-label="Pages">
        {PAGES.map((each) => (
          <a key={each} href={linkTo(each)} aria-current={each === page ? "page" : undefined}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d={ICONS[each]} />
            </svg>
            {title(each)}
          </a>
        ))}
      </nav>
      <main>
        <Network />
        {children}
      </main>
    </div>
  );
}

async function signOut() {
  // the session ends here in any case; without a network its refresh token ends by itself
  await client.mutate({ mutation: SignOutDocument, variables: { input: {} } }).catch(() => undefined);
  keepSession(null);
}

/** Says that the network is away, how many writes wait for it, and which the graph refused. */
function Network() {
  const [online, setOnline] = useState(isOnline());
  const { waiting, refused } = useOutbox();
  useEffect(() => {
    const look = () => setOnline(isOnline());
    addEventListener("online", look);
    addEventListener("offline", look);
    return () => {
      removeEventListener("online", look);
      removeEventListener("offline", look);
    };
  }, []);
  const wait = waiting.length === 1 ? "1 entry waits" : `${waiting.length} entries wait`;
  return (
    <div className="network" role="status">
      {!online && (
        <p className="offline">{waiting.length > 0 ? `Offline. ${wait} and will be sent.` : "Offline. What you write waits here."}</p>
      )}
      {refused.length > 0 && (
        <div className="refused">
          <ul>
            {refused.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
          <button onClick={forgetRefusals}>Understood</button>
        </div>
      )}
    </div>
  );
}

/** The writes of these kinds that the graph has not taken yet. */
export function Waiting({ kinds }: { kinds: readonly Kind[] }) {
  const waiting = useOutbox().waiting.filter((each) => kinds.includes(each.kind));
  if (waiting.length === 0) return null;
  return (
    <ul className="waiting" aria-label="Waiting to be sent">
      {waiting.map((each) => (
        <li key={each.key}>{each.label}</li>
      ))}
    </ul>
  );
}
