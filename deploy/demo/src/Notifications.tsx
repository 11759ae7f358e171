// What the person was told: a bell with what is unread, in every page's head, and the list.
import { useMutation, useQuery } from "@apollo/client/react";
import { useEffect } from "react";
import { Answer } from "./Answer";
import { clock, shortDate, title, words } from "./format";
import {
  BellDocument,
  DeleteNotificationDocument,
  MarkNotificationsReadDocument,
  NotificationNewsDocument,
  NotificationsDocument,
  type NotificationsQuery,
} from "./graph.generated";
import { useLive } from "./live";
import { linkTo, type Page } from "./route";

type Told = NotificationsQuery["me"]["notifications"]["nodes"][number];
type Reminder = NotificationsQuery["me"]["reminders"][number];

/** The stream's event has the person with the count, which the cache puts wherever it is shown. */
export function Bell({ page }: { page: Page }) {
  const { data } = useQuery(BellDocument, { fetchPolicy: "cache-and-network" });
  useLive(NotificationNewsDocument, {});
  const unread = data?.me.unreadNotificationCount ?? 0;
  const label = unread === 0 ? "Notifications" : `Notifications, ${unread} unread`;
  return (
    <a className="bell" href={linkTo("notifications")} aria-label={label} aria-current={page === "notifications" ? "page" : undefined}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d="M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4" />
      </svg>
      {unread > 0 && <span data-testid="unread">{unread}</span>}
    </a>
  );
}

export function Notifications() {
  const told = useQuery(NotificationsDocument, { fetchPolicy: "cache-and-network" });
  const unread = useQuery(BellDocument).data?.me.unreadNotificationCount;
  const { refetch } = told;
  useEffect(() => void refetch(), [unread, refetch]); // something came, was read or is gone, here or on another device
  return <Answer of={told}>{({ me }) => <List me={me} />}</Answer>;
}

function List({ me }: { me: NotificationsQuery["me"] }) {
  const [markRead] = useMutation(MarkNotificationsReadDocument);
  const { nodes } = me.notifications;
  return (
    <>
      <div className="date-line">
        <h1>Notifications</h1>
        {me.unreadNotificationCount > 0 && (
          <button onClick={() => void markRead({ variables: { input: {} } })}>Mark all as read</button>
        )}
      </div>
      <section className="card" aria-label="Notifications">
        <ul className="lines told">
          {nodes.map((each) => (
            <Line key={each.id} told={each} />
          ))}
        </ul>
        {nodes.length === 0 && <p className="empty">Nothing yet.</p>}
      </section>
      <section className="card" aria-label="Reminders">
        <h2>Reminders</h2>
        <ul className="lines">
          {me.reminders.map((each) => (
            <li key={each.id}>
              <span>
                {title(each.kind)} at {each.timeOfDay}
              </span>
              <small>{each.isOn ? days(each) : "off"}</small>
            </li>
          ))}
        </ul>
        {me.reminders.length === 0 && <p className="empty">None is set.</p>}
      </section>
    </>
  );
}

function Line({ told }: { told: Told }) {
  const [markRead] = useMutation(MarkNotificationsReadDocument);
  const [remove] = useMutation(DeleteNotificationDocument, { refetchQueries: [NotificationsDocument] });
  return (
    <li className={told.readAt ? undefined : "unread"}>
      <span>
        <strong>{told.title}</strong>
        {told.body && <small>{told.body}</small>}
        <small>
          {shortDate(told.createdAt.slice(0, 10))}, {clock(told.createdAt)}
        </small>
      </span>
      {!told.readAt && (
        <button onClick={() => void markRead({ variables: { input: { ids: [told.id] } } })} aria-label={`Mark "${told.title}" as read`}>
          Read
        </button>
      )}
      <button className="quiet" onClick={() => void remove({ variables: { input: { id: told.id } } })} aria-label={`Delete "${told.title}"`}>
        ×
      </button>
    </li>
  );
}

const days = ({ weekdays }: Reminder): string =>
  weekdays.length === 7 ? "every day" : weekdays.map((day) => words(day).slice(0, 3)).join(", ");
