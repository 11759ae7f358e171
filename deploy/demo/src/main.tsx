// The demo front end: the page of whoever is signed in, or the way to sign in.
import { ApolloProvider } from "@apollo/client/react";
import { StrictMode, useEffect, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { client } from "./client";
import { ClientPage } from "./ClientPage";
import { Coaching } from "./Coaching";
import { Diary } from "./Diary";
import { Notifications } from "./Notifications";
import { useRoute, type Route } from "./route";
import { useSession } from "./session";
import { Settings } from "./Settings";
import { Shell } from "./Shell";
import { SignIn } from "./SignIn";
import { Today } from "./Today";
import { Training } from "./Workout";
import { Week } from "./Week";
import { Webhooks } from "./Webhooks";
import { Weight } from "./Weight";
import { title } from "./format";
import "./style.css";

function App() {
  const session = useSession();
  const route = useRoute();
  const userId = session?.userId;
  useEffect(() => {
    document.title = `${userId ? title(route.page) : "Sign in"} · FitTracker`;
  }, [route.page, userId]);
  if (!session) return <SignIn />;
  return (
    <Shell key={userId} session={session} page={route.page}>
      {pageOf(route)}
    </Shell>
  );
}

function pageOf({ page, date, id }: Route): ReactNode {
  switch (page) {
    case "today":
      return <Today />;
    case "diary":
      return <Diary key={date} date={date} />;
    case "workout":
      return <Training />;
    case "weight":
      return <Weight />;
    case "week":
      return <Week key={date} start={date} />;
    case "coaching":
      return id ? <ClientPage key={id} id={id} /> : <Coaching />;
    case "webhooks":
      return <Webhooks />;
    case "notifications":
      return <Notifications />;
    case "settings":
      return <Settings />;
  }
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ApolloProvider client={client}>
        <App />
      </ApolloProvider>
    </StrictMode>,
  );
}
